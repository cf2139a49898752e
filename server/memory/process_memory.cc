// SPDX-License-Identifier: Apache-2.0
#include "server/memory/process_memory.h"

#include <charconv>
#include <fstream>
#include <iterator>
#include <string>

#include "engine/base/byte_size.h"

namespace edgemoe {
namespace {

// "VmRSS:     1234 kB" gives 1234 KiB in bytes.
std::uint64_t FindKiB(std::string_view status, std::string_view name) {
  const std::size_t at = status.find(name);
  if (at == std::string_view::npos) return 0;
  status.remove_prefix(at + name.size());
  const std::size_t digit = status.find_first_not_of(" \t");
  if (digit == std::string_view::npos) return 0;
  std::uint64_t kib = 0;
  std::from_chars(status.data() + digit, status.data() + status.size(), kib);
  return kib * kKiB;
}

}  // namespace

ProcessMemory ReadProcessMemory() {
  std::ifstream file("/proc/self/status");
  return ParseProcessStatus(std::string(std::istreambuf_iterator<char>(file), {}));
}

ProcessMemory ParseProcessStatus(std::string_view status) {
  return {.resident_bytes = FindKiB(status, "VmRSS:"),
          .peak_resident_bytes = FindKiB(status, "VmHWM:")};
}

}  // namespace edgemoe
