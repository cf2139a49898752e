// SPDX-License-Identifier: Apache-2.0
//
// Pulls from the scripted hub.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <string>

#include "download/pull.h"
#include "tests/download/faulty_hub.h"

namespace edgemoe {

// Downloads are synced to the disk, file by file, which takes most of a test's time; not in memory.
inline const bool kFoldersInMemory =
    ::access("/dev/shm", W_OK) == 0 && ::setenv("TMPDIR", "/dev/shm", 1) == 0;

// Tries again at once.
inline PullOptions OptionsFor(const FaultyHub& hub, const std::string& model,
                              const std::string& directory) {
  PullOptions options;
  options.model = model;
  options.directory = directory;
  options.hub.origin = hub.origin();
  options.reserve_bytes = 0;
  options.retry.wait = [](std::uint64_t) { return true; };
  return options;
}

}  // namespace edgemoe
