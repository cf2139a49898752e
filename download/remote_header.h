// SPDX-License-Identifier: Apache-2.0
//
// The beginning of a file that is somewhere else, as a local file of the same length: what reads
// headers of local files reads this one, before anything else of it is downloaded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "download/http/http_client.h"
#include "download/transfer/file_transfer.h"
#include "engine/base/byte_size.h"
#include "engine/base/result.h"

namespace edgemoe {

constexpr std::uint64_t kRemoteHeaderBytesMax = 512 * kMiB;

// What a header says of itself.
struct HeaderFacts {
  std::uint64_t header_bytes = 0;  // before the tensors
  std::string architecture{};      // empty: not told, as in later parts of a split model
};

// Of these first bytes of a file of that length: nothing where they do not hold all of its header,
// an error where they cannot be one.
using HeaderCheck = std::function<Result<std::optional<HeaderFacts>>(
    std::span<const std::byte> bytes, std::uint64_t file_bytes)>;

struct HeaderWanted {
  TransferFile source;
  std::string path;                  // where it goes
  std::uint64_t first_bytes = kMiB;  // a guess of how much has all of it
};

struct RemoteHeader {
  std::uint64_t file_bytes = 0;
  std::uint64_t fetched_bytes = 0;
  HeaderFacts facts{};
};

// Fetches as much as was guessed, then twice as much again and again, until `check` says that it is
// whole, and writes the file: these bytes, and behind them a hole up to the source's length, which
// takes no space. Of `options` folder, reserve and progress do not count. ALREADY_EXISTS: something
// is at the path. A server without ranges sends from the start each time; what is not wanted is not
// read. Holds the header in memory.
//
// Errors are those of HttpClient and of `check`, and with the path those of ErrnoStatus;
// OUT_OF_RANGE: no header after kRemoteHeaderBytesMax; DATA_LOSS: the server gives another range,
// another length, or tells none.
Result<RemoteHeader> FetchHeader(HttpClient& client, const HeaderWanted& wanted,
                                 const TransferOptions& options, const HeaderCheck& check);

}  // namespace edgemoe
