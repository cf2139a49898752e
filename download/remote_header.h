// SPDX-License-Identifier: Apache-2.0
//
// The beginning of a file that is somewhere else, as a local file of the same length: what reads
// headers of local files reads this one, before anything else of it is downloaded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "download/file_transfer.h"
#include "download/http_client.h"
#include "engine/base/byte_size.h"
#include "engine/base/result.h"

namespace edgemoe {

constexpr std::uint64_t kRemoteHeaderBytesMax = 512 * kMiB;

// Whether these first bytes of a file of that length hold all of its header; an error where they
// cannot be one.
using HeaderCheck =
    std::function<Result<bool>(std::span<const std::byte> bytes, std::uint64_t file_bytes)>;

struct RemoteHeader {
  std::uint64_t file_bytes = 0;
  std::uint64_t fetched_bytes = 0;
};

// Fetches the first MiB, then twice as much again and again, until `is_whole` says so, and writes
// `path`: these bytes, and behind them a hole up to the file's length, which takes no space. Of
// `options` folder, reserve and progress do not count. ALREADY_EXISTS: something is at `path`. A
// server without ranges sends from the start each time; what is not wanted is not read. Holds the
// header in memory.
//
// Errors are those of HttpClient, of `is_whole` and of WriteWholeFile; OUT_OF_RANGE: no header
// after kRemoteHeaderBytesMax; DATA_LOSS: the server gives another range, another length, or tells
// none.
Result<RemoteHeader> FetchHeader(HttpClient& client, const TransferFile& file,
                                 const TransferOptions& options, const HeaderCheck& is_whole,
                                 const std::string& path);

}  // namespace edgemoe
