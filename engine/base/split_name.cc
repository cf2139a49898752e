// SPDX-License-Identifier: Apache-2.0
#include "engine/base/split_name.h"

#include <charconv>
#include <cstdio>

namespace edgemoe {
namespace {

constexpr std::string_view kOf = "-of-";
constexpr std::string_view kExtension = ".gguf";
constexpr std::size_t kDigits = 5;

std::optional<std::uint32_t> ParseDigits(std::string_view digits) {
  std::uint32_t number = 0;
  const char* end = digits.data() + digits.size();
  const auto [rest, error] = std::from_chars(digits.data(), end, number);
  if (error != std::errc{} || rest != end) return std::nullopt;
  return number;
}

}  // namespace

std::string SplitName::PathOf(std::uint32_t other) const {
  char tail[40];
  std::snprintf(tail, sizeof(tail), "-%05u-of-%05u.gguf", other, count);
  return std::string(stem) + tail;
}

std::optional<SplitName> ParseSplitName(std::string_view path) {
  constexpr std::size_t kTail = 1 + kDigits + kOf.size() + kDigits + kExtension.size();
  if (path.size() <= kTail || !path.ends_with(kExtension)) return std::nullopt;
  const std::string_view tail = path.substr(path.size() - kTail);
  const auto part = ParseDigits(tail.substr(1, kDigits));
  const auto count = ParseDigits(tail.substr(1 + kDigits + kOf.size(), kDigits));
  if (tail[0] != '-' || tail.substr(1 + kDigits, kOf.size()) != kOf || !part || !count)
    return std::nullopt;
  return SplitName{path.substr(0, path.size() - kTail), *part, *count};
}

}  // namespace edgemoe
