// SPDX-License-Identifier: Apache-2.0
#include "engine/base/system/usable_memory.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <limits>
#include <optional>
#include <sstream>
#include <string_view>

namespace edgemoe {
namespace {

constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();

// A limit file holds a number, or "max" in v2; v1 says "none" with a huge number.
std::uint64_t ReadLimit(const std::string& path) {
  std::ifstream file(path);
  std::string word;
  if (!(file >> word)) return kUnlimited;
  std::uint64_t bytes = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), bytes);
  return error == std::errc() && end == word.data() + word.size() ? bytes : kUnlimited;
}

// The smallest limit from `group` up to the root of its hierarchy.
std::uint64_t SmallestLimit(const std::string& mount, std::string group, const char* file_name) {
  std::uint64_t least = kUnlimited;
  for (;;) {
    while (!group.empty() && group.back() == '/') group.pop_back();
    least = std::min(least, ReadLimit(mount + group + "/" + file_name));
    const std::size_t slash = group.rfind('/');
    if (slash == std::string::npos) return least;
    group.resize(slash);
  }
}

// Lines read "hierarchy:controllers:path"; v2 is hierarchy 0 without controllers.
std::uint64_t CgroupLimit(const std::string& proc_root, const std::string& cgroup_root) {
  std::ifstream groups(proc_root + "/self/cgroup");
  std::uint64_t least = kUnlimited;
  for (std::string line; std::getline(groups, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string path = line.substr(second + 1);
    if (controllers.empty()) {
      least = std::min(least, SmallestLimit(cgroup_root, path, "memory.max"));
      // Beside v1 hierarchies v2 may be mounted here.
      least = std::min(least, SmallestLimit(cgroup_root + "/unified", path, "memory.max"));
    } else if (("," + controllers + ",").find(",memory,") != std::string::npos) {
      least =
          std::min(least, SmallestLimit(cgroup_root + "/memory", path, "memory.limit_in_bytes"));
    }
  }
  return least;
}

std::uint64_t PhysicalBytes(const std::string& proc_root) {
  std::ifstream meminfo(proc_root + "/meminfo");
  for (std::string line; std::getline(meminfo, line);) {
    std::istringstream words(line);
    std::string name;
    std::uint64_t kibibytes = 0;
    if (words >> name >> kibibytes && name == "MemTotal:") return kibibytes * 1024;
  }
  return kUnlimited;
}

}  // namespace

std::uint64_t UsableMemoryBytes(const std::string& proc_root, const std::string& cgroup_root) {
  const std::uint64_t least =
      std::min(PhysicalBytes(proc_root), CgroupLimit(proc_root, cgroup_root));
  return least == kUnlimited ? 0 : least;
}

}  // namespace edgemoe
