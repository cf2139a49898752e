// SPDX-License-Identifier: Apache-2.0
//
// A model from a hub or a URL to files in a folder.
//
// (D1) A file has its own name only when all of its bytes are on the disk and have the SHA-256 that
//      the hub tells; of a split model no part has, before all of them are there. The first part,
//      by which the model is opened, is last.
// (D2) Whatever ends a download, SIGKILL and loss of power among it, the next one of the same model
//      goes on from what is there, or begins anew; nothing has to be cleared away by hand.
// (D3) A file that is there, or that another program keeps, counts as the one that is wanted when
//      length and SHA-256 are right; see present_file.h. Where the hub tells no sum, the length of
//      what is there has to do.
// (D4) One download runs in a folder at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "download/http/http_client.h"
#include "download/http/retry.h"
#include "download/hub/hub_client.h"
#include "download/model_sources.h"
#include "download/protocol/pull_lines.h"
#include "download/transfer/file_transfer.h"
#include "engine/base/byte_size.h"
#include "engine/base/result.h"

namespace edgemoe {

struct PullOptions {
  std::string model;      // see ParseModelReference
  std::string directory;  // is there
  Hub hub{};
  HttpOptions http{};
  RetryOptions retry{};
  std::uint64_t reserve_bytes = kGiB;  // stay free on the file system
  // A few times a second, at the start of each file, and at the end; on the calling thread.
  std::function<void(const PullProgress&)> progress{};
  // Of other programs: linked in place of a download where they are what is wanted.
  std::vector<HeldFile> held_files{};
};

// How the files of a source are transferred: the token goes to a hub alone.
TransferOptions ToTransferOptions(const PullOptions& options, const ModelSource& source);

// Errors name what is wrong and what to do; those of FindModel and Transfer, and ALREADY_EXISTS:
// another file has the name; FAILED_PRECONDITION (busy): another download runs in the folder;
// RESOURCE_EXHAUSTED (storage full); CANCELLED.
Result<PullReport> Pull(const PullOptions& options);

}  // namespace edgemoe
