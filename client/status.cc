// SPDX-License-Identifier: Apache-2.0
#include "client/status.h"

#include <array>
#include <charconv>
#include <cstddef>

namespace edgemoe::client {

const char* StatusCodeName(StatusCode code) {
  static constexpr std::array<const char*, 17> kNames = {
      "OK",
      "CANCELLED",
      "UNKNOWN",
      "INVALID_ARGUMENT",
      "DEADLINE_EXCEEDED",
      "NOT_FOUND",
      "ALREADY_EXISTS",
      "PERMISSION_DENIED",
      "RESOURCE_EXHAUSTED",
      "FAILED_PRECONDITION",
      "ABORTED",
      "OUT_OF_RANGE",
      "UNIMPLEMENTED",
      "INTERNAL",
      "UNAVAILABLE",
      "DATA_LOSS",
      "UNAUTHENTICATED",
  };
  const auto index = static_cast<std::size_t>(code);
  return index < kNames.size() ? kNames[index] : "UNKNOWN";
}

std::string Status::ToString() const {
  if (ok()) return "OK";
  return std::string(StatusCodeName(code)) + ": " + message;
}

std::optional<std::uint64_t> Status::Figure(const std::string& name) const {
  const auto found = metadata.find(name);
  if (found == metadata.end()) return std::nullopt;
  const char* const end = found->second.data() + found->second.size();
  std::uint64_t value = 0;
  const auto parsed = std::from_chars(found->second.data(), end, value);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return value;
}

}  // namespace edgemoe::client
