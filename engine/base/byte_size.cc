// SPDX-License-Identifier: Apache-2.0
#include "engine/base/byte_size.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <utility>

#include "engine/base/accepted.h"

namespace edgemoe {
namespace {

constexpr std::array<std::pair<std::string_view, std::uint64_t>, 14> kUnits = {{
    {"", 1},
    {"b", 1},
    {"k", kKiB},
    {"m", kMiB},
    {"g", kGiB},
    {"t", 1024 * kGiB},
    {"kib", kKiB},
    {"mib", kMiB},
    {"gib", kGiB},
    {"tib", 1024 * kGiB},
    {"kb", 1000},
    {"mb", 1000000},
    {"gb", 1000000000},
    {"tb", 1000000000000},
}};

Status BadSize(std::string_view text) {
  return NotAccepted(ShowValue(text), "a size as in 1200MiB, 1.5GiB, 2G, 10MB or 4096 (bytes)");
}

// Of ASCII letters alone, whatever the locale.
std::string InSmallLetters(std::string_view text) {
  std::string small(text);
  for (char& c : small)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return small;
}

std::string Format(std::uint64_t bytes, bool round_up) {
  constexpr std::array<const char*, 5> kNames = {"B", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < kNames.size()) {
    value /= 1024;
    ++unit;
  }
  const bool has_digits = value < 10 && unit > 0;
  if (round_up) value = has_digits ? std::ceil(value * 100) / 100 : std::ceil(value);
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), has_digits ? "%.2f %s" : "%.0f %s", value, kNames[unit]);
  return text.data();
}

}  // namespace

Result<std::uint64_t> ParseByteSize(std::string_view text) {
  double number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  if (error != std::errc{} || !(number >= 0)) return Failure(BadSize(text));
  std::string_view unit(rest, static_cast<std::size_t>(end - rest));
  while (!unit.empty() && unit.front() == ' ') unit.remove_prefix(1);
  const std::string small = InSmallLetters(unit);
  for (const auto& [name, factor] : kUnits) {
    if (small != name) continue;
    const double bytes = number * static_cast<double>(factor);
    if (bytes >= 9.2e18) return Failure(BadSize(text));
    return static_cast<std::uint64_t>(bytes);
  }
  return Failure(BadSize(text));
}

std::string FormatByteSize(std::uint64_t bytes) { return Format(bytes, false); }

std::string FormatLeastByteSize(std::uint64_t bytes) { return Format(bytes, true); }

}  // namespace edgemoe
