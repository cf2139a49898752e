// SPDX-License-Identifier: Apache-2.0
#include "client/cli/doctor/facts/mount.h"

#include <algorithm>
#include <filesystem>
#include <iterator>

namespace edgemoe::cli {
namespace {

// "36 35 98:0 /root /point options [optional fields] - ext4 /dev/sda1 options".
std::optional<Mount> ParseMount(const std::string& line) {
  const std::vector<std::string> words = WordsIn(line);
  const auto dash = std::ranges::find(words, "-");
  if (dash - words.begin() < 6 || words.end() - dash < 3) return std::nullopt;
  return Mount{.device = words[2],
               .point = Unescape(words[4]),
               .file_system = *std::next(dash),
               .source = Unescape(*std::next(dash, 2))};
}

bool Holds(const std::string& point, const std::string& path) {
  if (point == "/" || path == point) return true;
  return path.starts_with(point + "/");
}

}  // namespace

std::optional<Mount> MountOf(const Machine& machine, const std::string& path) {
  const std::string place =
      machine.RealPath(path).value_or(std::filesystem::path(path).lexically_normal().string());
  std::optional<Mount> best;
  for (const std::string& line : LinesIn(machine.Text("/proc/self/mountinfo").value_or(""))) {
    std::optional<Mount> mount = ParseMount(line);
    if (!mount || !Holds(mount->point, place)) continue;
    // Of two at the same place the later one hides the other.
    if (!best || mount->point.size() >= best->point.size()) best = std::move(mount);
  }
  return best;
}

std::string Unescape(const std::string& text) {
  constexpr std::size_t kEscapeBytes = 4;
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = text[i] == '\\' && i + kEscapeBytes <= text.size()
                          ? ParseNumber(std::string_view(text).substr(i + 1, 3), 8)
                          : std::nullopt;
    if (byte && *byte > 0 && *byte < 256) {
      plain += static_cast<char>(*byte);
      i += kEscapeBytes - 1;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

}  // namespace edgemoe::cli
