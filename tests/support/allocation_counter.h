// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace edgemoe {

// How often this program has called operator new. Programs that link allocation_counter.cc replace
// the global operators with counting ones. Thread-safe.
std::uint64_t AllocationCount();

}  // namespace edgemoe
