// SPDX-License-Identifier: Apache-2.0
//
// What the daemon and edgemoe-download say to each other: lines of JSON on a connection that is the
// program's standard input and output. The daemon writes one request: for a model, or for the
// headers alone of all that the name can mean. The program answers with progress, or with each
// header as it arrives, and last with a report or an error. Whoever closes its side ends the
// download. Pure; no network.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/base/byte_size.h"
#include "engine/base/result.h"

namespace edgemoe {

struct PullRequest {
  std::string model;      // "hf.co/ORG/REPO:QUANT" or a URL
  std::string directory;  // absolute
  std::uint64_t bytes_per_second_max = 0;
  std::uint64_t reserve_bytes = kGiB;
  std::string hub_endpoint{};  // these two empty: the program's own environment
  std::string hub_token{};
  bool allow_private_redirects = false;
  // Each model's headers go into a new folder of `directory`; of the report `bytes` alone counts:
  // how many were fetched.
  bool headers_only = false;
};

struct PullProgress {
  bool is_checking = false;  // all of the file is here, its sum is being made
  std::string file_name{};
  std::uint32_t file_number = 0;  // from 1
  std::uint32_t file_count = 0;
  // Of all files; `total_bytes` is 0 where a server does not tell it.
  std::uint64_t done_bytes = 0;
  std::uint64_t total_bytes = 0;
  std::uint64_t resumed_bytes = 0;  // of done_bytes, from an earlier download
  double bytes_per_second = 0;      // of the last seconds; 0 while it cannot be told
  std::optional<double> seconds_left{};

  bool operator==(const PullProgress&) const = default;
};

struct PullReport {
  std::vector<std::string> paths{};  // of the parts in their order; the model's path is the first
  std::uint64_t bytes = 0;
  std::uint64_t resumed_bytes = 0;
  bool was_there = false;    // nothing was downloaded
  bool is_verified = false;  // there was a SHA-256 for each file that was downloaded

  bool operator==(const PullReport&) const = default;
};

struct PullHeaderFile {
  std::string name{};
  std::uint64_t bytes = 0;  // 0 where a server does not tell
  std::string sha256{};     // empty where a server does not tell

  bool operator==(const PullHeaderFile&) const = default;
};

// A model, of which the headers are here; or what is wrong with it.
struct PullHeader {
  std::string quant{};                  // "Q4_K_M"; empty where the name tells none
  std::string pull_name{};              // a PullRequest's `model` that means this one alone
  std::vector<PullHeaderFile> files{};  // of the parts, in their order
  std::uint64_t bytes = 0;              // of all files
  std::string architecture{};           // "qwen3moe"; empty where it is not known
  // Of the first part: a file of the whole length with the header and a hole. Empty: see `problem`.
  std::string path{};
  Status problem{};

  bool operator==(const PullHeader&) const = default;
};

// More than any repository has that people choose from.
constexpr std::size_t kPullHeadersMax = 64;

// An answer: the last one is a report or an error.
using PullAnswer = std::variant<PullProgress, PullHeader, PullReport, Status>;

constexpr std::size_t kPullLineBytesMax = 1 << 20;

// Each is one line, with its line break.
std::string EncodePullRequest(const PullRequest& request);
std::string EncodePullAnswer(const PullAnswer& answer);

// Of one line, with or without its line break. INVALID_ARGUMENT: it is none.
Result<PullRequest> DecodePullRequest(std::string_view line);
Result<PullAnswer> DecodePullAnswer(std::string_view line);

// Cuts a stream of bytes into lines.
class LineReader {
 public:
  // RESOURCE_EXHAUSTED: a line longer than kPullLineBytesMax.
  Status Add(std::string_view bytes);
  // The next line, without its line break; nothing until it is whole.
  std::optional<std::string> Next();

 private:
  std::string waiting_;
};

}  // namespace edgemoe
