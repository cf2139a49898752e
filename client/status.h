// SPDX-License-Identifier: Apache-2.0
//
// The outcome of a call to the daemon.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tl/expected.hpp>

namespace edgemoe::client {

// gRPC's canonical codes, by number.
enum class StatusCode : std::uint8_t {
  kOk = 0,
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};

// "INVALID_ARGUMENT" and so on; static storage.
const char* StatusCodeName(StatusCode code);

struct [[nodiscard]] Status {
  StatusCode code = StatusCode::kOk;
  std::string message;
  // When the same call may succeed, where the daemon can tell.
  std::optional<std::uint32_t> retry_delay_ms{};
  // Of the daemon's own errors, a name of edgemoe.v1.ErrorReason without its prefix: "QUEUE_FULL".
  std::string reason{};
  // The field of the request that is to blame: "stopping.sequences[2]"; else empty.
  std::string field{};
  // Figures of the message by name, as decimal numbers; which, the reason says: "context_tokens".
  std::map<std::string, std::string> metadata{};

  bool ok() const { return code == StatusCode::kOk; }
  // "DATA_LOSS: message", or "OK".
  std::string ToString() const;
  // One of `metadata`; nothing where it is not there or is no number.
  std::optional<std::uint64_t> Figure(const std::string& name) const;
};

template <class T>
using Result = tl::expected<T, Status>;

}  // namespace edgemoe::client
