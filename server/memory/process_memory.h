// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace edgemoe {

struct ProcessMemory {
  std::uint64_t resident_bytes = 0;
  std::uint64_t peak_resident_bytes = 0;
};

// Of this process, from /proc; zeros where it cannot be read.
ProcessMemory ReadProcessMemory();

// VmRSS and VmHWM of the text of /proc/PID/status; zero for what is missing.
ProcessMemory ParseProcessStatus(std::string_view status);

}  // namespace edgemoe
