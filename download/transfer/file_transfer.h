// SPDX-License-Identifier: Apache-2.0
//
// One file from one URL, whatever happens in between.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "download/http/http_client.h"
#include "download/http/retry.h"
#include "download/transfer/part_file.h"
#include "engine/base/result.h"

namespace edgemoe {

struct TransferFile {
  std::string url;
  std::string name;                      // in the folder
  std::string sha256{};                  // empty: not known
  std::optional<std::uint64_t> bytes{};  // absent: the server says
  std::string validator{};               // empty: the server says
};

struct TransferOptions {
  std::string folder;
  std::string token{};
  std::string token_origin{};
  std::uint64_t reserve_bytes = 0;  // of the file system, that stay free
  RetryOptions retry{};
  const std::atomic<bool>* cancelled = nullptr;
  // On the calling thread: first with the bytes that were here before, then with each piece that
  // arrives; bytes of the file that are here, or, at the end, of which the sum is made.
  std::function<void(std::uint64_t bytes, bool is_checking)> progress{};
};

// Goes on with the part that is there and downloads until the file is whole and has its SHA-256. A
// server that ignores ranges, gives other ones, or has another file by now is noticed, and the file
// begun anew, at most kRestartsMax times; so is one whose sum is wrong, once.
//
// Errors are those of HttpClient and PartFile. DATA_LOSS: what the server sends is not the file, by
// its length or its sum; RESOURCE_EXHAUSTED: no space. The part stays, but where its sum is wrong.
Result<PartFile> Transfer(HttpClient& client, const TransferFile& file,
                          const TransferOptions& options);

constexpr int kRestartsMax = 3;

// What a server says of a URL, without its body.
Result<HttpHead> Probe(HttpClient& client, const std::string& url, const RetryOptions& retry);

// RESOURCE_EXHAUSTED (storage full) names folder, needed and free bytes where fewer than
// `needed_bytes` and the reserve are free.
Status CheckFreeSpace(const std::string& folder, std::uint64_t needed_bytes,
                      std::uint64_t reserve_bytes);

}  // namespace edgemoe
