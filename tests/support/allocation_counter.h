// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace edgemoe {

// How often this program has allocated memory by operator new. Where a sanitizer of clang keeps the
// heap: how often this thread has, by malloc, too. Programs that link allocation_counter.cc count.
// Thread-safe.
std::uint64_t AllocationCount();

}  // namespace edgemoe
