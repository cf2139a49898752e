// SPDX-License-Identifier: Apache-2.0
#include "client/cli/terminal/size_text.h"

#include <CLI/CLI.hpp>
#include <array>
#include <cstdio>

#include "client/cli/terminal/format_text.h"
// The one header of the engine that the command line knows; see .ci/check_layers.py.
#include "engine/base/byte_size.h"

namespace edgemoe::cli {

std::uint64_t SizeFromText(const std::string& option, const std::string& text) {
  const auto bytes = ParseByteSize(text);
  if (!bytes) throw CLI::ValidationError(option, bytes.error().message());
  return *bytes;
}

std::string SizeText(double bytes) {
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

std::string SizeText(std::uint64_t bytes) { return SizeText(static_cast<double>(bytes)); }

std::string DurationText(double seconds) {
  if (seconds < 100) return Format("%.0f s", seconds);
  if (seconds < 6000) return Format("%.0f min", seconds / 60);
  return Format("%.1f h", seconds / 3600);
}

}  // namespace edgemoe::cli
