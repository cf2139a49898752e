// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "engine/base/ids.h"
#include "engine/base/result.h"
#include "engine/cache/slot_classes.h"

namespace edgemoe {

// A place for one expert. Valid until a Resize that takes it away.
using SlotIndex = Id<struct SlotTag, std::uint32_t>;

// The memory of all cached experts, cut into slots of few sizes, aligned to kSlotAlignment.
// Addresses for a slot for every expert of the model are set aside once and never move: a range of
// whole pages for each size class, one after another. Of each range the front, as many slots as the
// class has now, is memory, up to the end of the last slot's page; the rest cannot be touched and
// costs nothing. Confined to the engine's thread.
//
// Invariants:
//   1. committed_bytes() is at most the bytes that were last asked for: this bound is hard.
//   2. A slot is either free (in its class's list) or taken; slots do not overlap.
class SlotSlab {
 public:
  // Uses at most `bytes`. RESOURCE_EXHAUSTED below SlabBytesMin(classes), or when the kernel has no
  // memory.
  static Result<SlotSlab> Create(const SlotClasses& classes, std::uint64_t bytes);

  SlotSlab(SlotSlab&& other) noexcept;
  SlotSlab& operator=(SlotSlab&& other) noexcept;
  ~SlotSlab();

  // Gives each class this many slots, at most as many as it has experts. Memory that is no longer
  // needed goes back to the system before more is taken. A taken slot whose memory goes is moved,
  // bytes and all, to a free one that stays, and `moved` is told. RESOURCE_EXHAUSTED when the
  // kernel has no memory: then no class has more than before, and those that were to shrink have
  // shrunk. REQUIRES: no class has more taken slots than it is given; meanwhile nobody uses a
  // slot's bytes, and no reader has any of them registered.
  using OnMoved = std::function<void(SlotIndex from, SlotIndex to)>;
  Status Resize(std::span<const std::uint32_t> slot_counts, const OnMoved& moved);

  // The memory that there is, to be registered with a reader: a region a class, without gaps.
  std::vector<std::span<std::byte>> regions() const;
  std::uint64_t committed_bytes() const;

  // Locks the memory that there is, and from now on what Resize adds, each page as it is first
  // touched; false where limits do not allow it (harmless).
  bool TryLock();

  // Takes a free slot of the class; false when there is none. O(1), no allocation.
  bool TryTake(std::uint8_t slot_class, SlotIndex& slot);
  // REQUIRES: the slot is taken.
  void Free(SlotIndex slot);

  std::span<std::byte> BytesOf(SlotIndex slot) const;
  std::uint32_t slot_count() const;
  std::uint32_t slot_count(std::uint8_t slot_class) const {
    return classes_[slot_class].slot_count;
  }
  std::uint32_t free_count(std::uint8_t slot_class) const {
    return static_cast<std::uint32_t>(classes_[slot_class].free.size());
  }

 private:
  struct Class {
    std::uint64_t slot_bytes = 0;
    std::uint64_t page_bytes = 0;
    std::byte* begin = nullptr;
    std::uint32_t first_slot = 0;
    std::uint32_t slot_count = 0;      // that are memory
    std::uint32_t slot_count_max = 0;  // that have addresses
    std::vector<SlotIndex> free;
  };

  SlotSlab() = default;

  std::span<std::byte> Slots(const Class& c, std::uint32_t begin, std::uint32_t end) const;
  std::span<std::byte> Pages(const Class& c, std::uint32_t begin, std::uint32_t end) const;
  void MoveBelow(Class& c, std::uint32_t slot_count, const OnMoved& moved);
  void Shrink(Class& c, std::uint32_t slot_count);
  Status Grow(Class& c, std::uint32_t slot_count);
  void ListFree(Class& c);

  std::byte* addresses_ = nullptr;
  std::size_t address_bytes_ = 0;
  bool locked_ = false;
  std::vector<Class> classes_;
  std::vector<std::uint8_t> class_of_;  // [slots that have addresses]
  std::vector<bool> taken_;             // [slots that have addresses]
};

}  // namespace edgemoe
