// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/base/aligned_buffer.h"
#include "engine/base/result.h"
#include "engine/cache/slot_classes.h"

namespace edgemoe {

// A place for one expert. Valid as long as the slab.
using SlotIndex = Id<struct SlotTag, std::uint32_t>;

// The memory of all cached experts: one anonymous mapping, made once and never moved, cut into
// page-aligned slots of few sizes. Confined to the engine's thread, except `memory`.
//
// Invariants:
//   1. The mapping is never larger than the bytes given to Create: this bound is hard.
//   2. A slot is either free (in its class's list) or taken; slots do not overlap.
class SlotSlab {
 public:
  // Uses at most `bytes`. RESOURCE_EXHAUSTED below SlabBytesMin(classes), or when the kernel has no
  // memory.
  static Result<SlotSlab> Create(const SlotClasses& classes, std::uint64_t bytes);

  SlotSlab(SlotSlab&&) = default;
  SlotSlab& operator=(SlotSlab&&) = default;

  // All slots' memory, to be registered with a reader.
  std::span<std::byte> memory() const { return memory_.span(); }
  bool TryLock() { return memory_.TryLock(); }

  // Takes a free slot of the class; false when there is none. O(1), no allocation.
  bool TryTake(std::uint8_t slot_class, SlotIndex& slot);
  // REQUIRES: the slot is taken.
  void Free(SlotIndex slot);

  std::span<std::byte> BytesOf(SlotIndex slot) const;
  std::uint32_t slot_count() const { return static_cast<std::uint32_t>(class_of_.size()); }
  std::uint32_t slot_count(std::uint8_t slot_class) const {
    return classes_[slot_class].slot_count;
  }
  std::uint32_t free_count(std::uint8_t slot_class) const {
    return static_cast<std::uint32_t>(classes_[slot_class].free.size());
  }

 private:
  struct Class {
    std::uint64_t slot_bytes = 0;
    std::size_t begin = 0;  // in `memory_`
    std::uint32_t first_slot = 0;
    std::uint32_t slot_count = 0;
    std::vector<SlotIndex> free;
  };

  SlotSlab() = default;

  AlignedBuffer memory_;
  std::vector<Class> classes_;
  std::vector<std::uint8_t> class_of_;  // [slot_count]
  std::vector<bool> taken_;             // [slot_count]
};

}  // namespace edgemoe
