// SPDX-License-Identifier: Apache-2.0
//
// A model from a hub or a URL to files in a folder.
//
// (D1) A file has its own name only when all of its bytes are on the disk and have the SHA-256 that
//      the hub tells; of a split model no part has, before all of them are there. The first part,
//      by which the model is opened, is last.
// (D2) Whatever ends a download, SIGKILL and loss of power among it, the next one of the same model
//      goes on from what is there, or begins anew; nothing has to be cleared away by hand.
// (D3) One download runs in a folder at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "download/http_client.h"
#include "download/hub_client.h"
#include "download/retry.h"
#include "engine/base/byte_size.h"
#include "engine/base/result.h"

namespace edgemoe {

struct PullProgress {
  bool is_checking = false;  // all of the file is here, its sum is being made
  std::string file_name;
  std::uint32_t file_number = 0;  // from 1
  std::uint32_t file_count = 0;
  // Of all files; `total_bytes` is 0 where a server does not tell it.
  std::uint64_t done_bytes = 0;
  std::uint64_t total_bytes = 0;
  std::uint64_t resumed_bytes = 0;  // of done_bytes, from an earlier download
  double bytes_per_second = 0;      // of the last seconds; 0 while it cannot be told
  std::optional<double> seconds_left;
};

struct PullOptions {
  std::string model;      // see ParseModelReference
  std::string directory;  // is there
  Hub hub{};
  HttpOptions http{};
  RetryOptions retry{};
  std::uint64_t reserve_bytes = kGiB;  // stay free on the file system
  // A few times a second, at the start of each file, and at the end; on the calling thread.
  std::function<void(const PullProgress&)> progress{};
};

struct PullReport {
  std::vector<std::string> paths;  // of the parts in their order; the model's path is the first
  std::uint64_t bytes = 0;
  std::uint64_t resumed_bytes = 0;
  bool was_there = false;  // nothing was downloaded
  bool is_verified =
      false;  // there was a SHA-256 to compare with, for each file that was downloaded
};

// Errors name what is wrong and what to do; those of ParseModelReference, ListRepository,
// ChooseModel and Transfer, and ALREADY_EXISTS: another file has the name; FAILED_PRECONDITION
// (busy): another download runs in the folder; RESOURCE_EXHAUSTED (storage full); CANCELLED.
Result<PullReport> Pull(const PullOptions& options);

}  // namespace edgemoe
