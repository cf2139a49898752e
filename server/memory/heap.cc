// SPDX-License-Identifier: Apache-2.0
#include "server/memory/heap.h"

#include <malloc.h>

namespace edgemoe {

void BoundHeap() {
#ifdef __GLIBC__
  // Left alone, both grow: the threshold up to 32 MiB, the heaps to eight for each processor.
  ::mallopt(M_MMAP_THRESHOLD, 128 << 10);
  ::mallopt(M_TRIM_THRESHOLD, 128 << 10);
  ::mallopt(M_ARENA_MAX, 2);
#endif
}

void TrimHeap() {
#ifdef __GLIBC__
  ::malloc_trim(0);
#endif
}

}  // namespace edgemoe
