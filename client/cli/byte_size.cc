// SPDX-License-Identifier: Apache-2.0
#include "client/cli/byte_size.h"

#include <array>
#include <cctype>
#include <charconv>
#include <cstdio>
#include <utility>

namespace edgemoe::cli {
namespace {

constexpr std::array<std::pair<std::string_view, double>, 14> kUnits = {{
    {"", 1},
    {"b", 1},
    {"k", 1024},
    {"kib", 1024},
    {"kb", 1e3},
    {"m", 1048576},
    {"mib", 1048576},
    {"mb", 1e6},
    {"g", 1073741824},
    {"gib", 1073741824},
    {"gb", 1e9},
    {"t", 1099511627776},
    {"tib", 1099511627776},
    {"tb", 1e12},
}};

}  // namespace

std::optional<std::uint64_t> ParseByteSize(std::string_view text) {
  double number = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  if (parsed.ec != std::errc() || number < 0) return std::nullopt;
  std::string unit;
  for (const char* at = parsed.ptr; at != end; ++at)
    if (*at != ' ' || !unit.empty())
      unit += static_cast<char>(std::tolower(static_cast<unsigned char>(*at)));
  for (const auto& [name, factor] : kUnits) {
    if (unit != name) continue;
    const double bytes = number * factor;
    if (bytes >= 18446744073709551616.0) return std::nullopt;
    return static_cast<std::uint64_t>(bytes);
  }
  return std::nullopt;
}

std::string FormatByteSize(double bytes) {
  constexpr std::array<const char*, 5> kNames = {"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  while (bytes >= 1024 && unit + 1 < kNames.size()) {
    bytes /= 1024;
    ++unit;
  }
  char text[48];
  std::snprintf(text, sizeof(text), unit == 0 ? "%.0f %s" : "%.2f %s", bytes, kNames[unit]);
  return text;
}

}  // namespace edgemoe::cli
