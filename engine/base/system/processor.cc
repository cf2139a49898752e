// SPDX-License-Identifier: Apache-2.0
#include "engine/base/system/processor.h"

#include <unistd.h>

#include <fstream>
#include <string_view>

namespace edgemoe {
namespace {

// The value of the first line "NAME : VALUE" of /proc/cpuinfo; empty: there is none.
std::string CpuInfo(std::string_view name) {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with(name) && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "";
}

}  // namespace

std::string ProcessorName() {
  if (std::string name = CpuInfo("model name"); !name.empty()) return name;
  const std::string part = CpuInfo("CPU part");
  return part.empty() ? "unknown" : CpuInfo("CPU implementer") + " part " + part;
}

std::uint64_t LastCacheBytes() {
#ifdef _SC_LEVEL3_CACHE_SIZE
  for (const int level : {_SC_LEVEL3_CACHE_SIZE, _SC_LEVEL2_CACHE_SIZE})
    if (const long bytes = ::sysconf(level); bytes > 0) return static_cast<std::uint64_t>(bytes);
#endif
  return 0;
}

}  // namespace edgemoe
