// SPDX-License-Identifier: Apache-2.0
//
// HTTP for downloads, over libcurl: one request at a time, its answer in pieces as they arrive.
//
// (N1) Only http and https are spoken. A redirect never leads from https to http.
// (N2) A token goes to its own origin (scheme, host, port) alone, wherever redirects lead.
// (N3) A redirect reaches a loopback, private or otherwise special address only where the first
//      server has one itself, or where options allow it. What counts is the address that is
//      connected to, not the name.
// (N4) Nothing of the environment counts: neither proxies nor .netrc.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "download/http/network_address.h"
#include "download/http/retry.h"
#include "engine/base/clock.h"
#include "engine/base/result.h"

namespace edgemoe {

struct HttpOptions {
  bool allow_private_redirects = false;
  // The seam to what is where: of an address as ShowAddress writes it.
  std::function<bool(const std::string& address)> is_public_address = IsPublicAddress;
  std::uint64_t bytes_per_second_max = 0;  // 0: no limit
  std::uint64_t connect_timeout_ms = 30'000;
  std::uint64_t stall_timeout_ms = 60'000;       // without a byte
  const std::atomic<bool>* cancelled = nullptr;  // outlives the client; looked at each 100 ms
};

struct HttpRequest {
  std::string url;
  std::string token{};         // "Authorization: Bearer"
  std::string token_origin{};  // "https://huggingface.co"
  // A range of bytes; without its end, all that follows. With `if_range` the whole file, where it
  // is no more the one that has this validator.
  std::optional<std::uint64_t> first_byte{};
  std::optional<std::uint64_t> last_byte{};
  std::string if_range{};
};

// The beginning of the last answer, behind all redirects.
struct HttpHead {
  long status = 0;
  std::string url{};
  std::optional<std::uint64_t> content_bytes{};  // of this answer
  // Of Content-Range, where it is well formed.
  std::optional<std::uint64_t> range_first{};
  std::optional<std::uint64_t> range_last{};
  std::optional<std::uint64_t> total_bytes{};
  std::string validator{};  // strong ETag, or else Last-Modified
  std::string next_page{};  // Link with rel="next"
  std::optional<std::uint64_t> retry_after_s{};
};

// Who takes an answer with a status of 2xx. An error ends the request with it.
class HttpSink {
 public:
  virtual ~HttpSink() = default;
  virtual Status OnHead(const HttpHead& head) = 0;
  virtual Status OnBody(std::span<const std::byte> bytes) = 0;
};

struct HttpOutcome {
  // OK: the whole answer went to the sink. Else the sink's error; CANCELLED; PERMISSION_DENIED
  // (403, or a redirect that is not followed), UNAUTHENTICATED (401), NOT_FOUND (404, 410),
  // OUT_OF_RANGE (416), RESOURCE_EXHAUSTED (429), UNAVAILABLE (5xx, the network),
  // FAILED_PRECONDITION (others).
  Status status;
  HttpHead head;
  bool is_retryable = false;
};

// Has one connection or a few, which it uses again. Thread-compatible.
class HttpClient {
 public:
  explicit HttpClient(const HttpOptions& options);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  HttpOutcome Get(const HttpRequest& request, HttpSink& sink);

  // Waits until another attempt is due, behind one that ended with this head. False: there shall be
  // none, or the wait was cancelled.
  bool WaitForRetry(const RetryOptions& retry, RetrySchedule& schedule, const HttpHead& head);

 private:
  class Connection;
  class Exchange;

  const HttpOptions options_;
  const SteadyClock clock_;
  std::unique_ptr<Connection> connection_;
};

// "https://huggingface.co" of "https://HuggingFace.co:443/org/repo". INVALID_ARGUMENT: no http or
// https URL.
Result<std::string> OriginOfUrl(const std::string& url);

}  // namespace edgemoe
