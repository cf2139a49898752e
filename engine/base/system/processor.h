// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace edgemoe {

// What the system calls the processor: "AMD EPYC 7B13"; of ARM, which has no such name in
// /proc/cpuinfo, its numbers: "0x41 part 0xd0b". "unknown" where it says neither. The root is a
// seam for tests.
std::string ProcessorName(const std::string& proc_root = "/proc");

// Of the last level of cache that the first processor reaches, as the kernel tells it in `folder`;
// 0: unknown. (sysconf adds up the caches of all groups of cores.)
std::uint64_t LastCacheBytes(const std::string& folder = "/sys/devices/system/cpu/cpu0/cache");

}  // namespace edgemoe
