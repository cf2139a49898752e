// SPDX-License-Identifier: Apache-2.0
#include "engine/base/system/processor.h"

#include <fstream>
#include <string_view>

namespace edgemoe {
namespace {

// The value of the first line "NAME : VALUE" of cpuinfo; empty: there is none.
std::string CpuInfo(const std::string& proc_root, std::string_view name) {
  std::ifstream file(proc_root + "/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with(name) && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "";
}

}  // namespace

std::string ProcessorName(const std::string& proc_root) {
  if (std::string name = CpuInfo(proc_root, "model name"); !name.empty()) return name;
  const std::string part = CpuInfo(proc_root, "CPU part");
  return part.empty() ? "unknown" : CpuInfo(proc_root, "CPU implementer") + " part " + part;
}

std::uint64_t LastCacheBytes(const std::string& folder) {
  constexpr int kCachesMax = 16;
  int last_level = 0;
  std::uint64_t bytes = 0;
  for (int i = 0; i < kCachesMax; ++i) {
    const std::string cache = folder + "/index" + std::to_string(i);
    int level = 0;
    std::uint64_t kibibytes = 0;  // "32768K"
    if (!(std::ifstream(cache + "/level") >> level)) break;
    if (level <= last_level || !(std::ifstream(cache + "/size") >> kibibytes)) continue;
    last_level = level;
    bytes = kibibytes * 1024;
  }
  return bytes;
}

}  // namespace edgemoe
