// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace edgemoe {

// What the system calls the processor: "AMD EPYC 7B13"; of ARM, which has no such name in
// /proc/cpuinfo, its numbers: "0x41 part 0xd0b". "unknown" where it says neither.
std::string ProcessorName();

// Of the last level of cache, as the system tells it; 0: unknown.
std::uint64_t LastCacheBytes();

}  // namespace edgemoe
