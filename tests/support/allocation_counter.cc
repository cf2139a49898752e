// SPDX-License-Identifier: Apache-2.0
#include "tests/support/allocation_counter.h"

#include <atomic>
#include <cstdlib>
#include <new>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define EDGEMOE_ALLOCATOR_OF_SANITIZER
#include <sanitizer/allocator_interface.h>
#endif
#endif

#ifdef EDGEMOE_ALLOCATOR_OF_SANITIZER

// The runtimes of clang's sanitizers define the operators; they tell of each allocation, also of
// those by which a thread starts. So each thread counts its own.
namespace {
thread_local std::uint64_t allocation_count = 0;
[[maybe_unused]] const int hooks = __sanitizer_install_malloc_and_free_hooks(
    [](const volatile void*, std::size_t) { ++allocation_count; }, [](const volatile void*) {});
}  // namespace

std::uint64_t edgemoe::AllocationCount() { return allocation_count; }

#else

namespace {
std::atomic<std::uint64_t> allocation_count = 0;
}  // namespace

std::uint64_t edgemoe::AllocationCount() {
  return allocation_count.load(std::memory_order_relaxed);
}

void* operator new(std::size_t bytes) {
  allocation_count.fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(bytes)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

#endif
