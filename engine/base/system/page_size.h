// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace edgemoe {

// Bytes of a page of memory of the running kernel, a power of two: 4 KiB on x86; 4, 16 (Raspberry
// Pi 5) or 64 KiB on Arm. Memory is mapped, protected, locked and given back in whole pages; reads
// that bypass the page cache have an alignment of their own (kReadAlignment). Thread-safe.
std::size_t PageBytes();

}  // namespace edgemoe
