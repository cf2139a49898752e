// SPDX-License-Identifier: Apache-2.0
#include "engine/cache/slot_slab.h"

#include "engine/base/check.h"

namespace edgemoe {

Result<SlotSlab> SlotSlab::Create(const SlotClasses& classes, std::uint64_t bytes) {
  EDGEMOE_ASSIGN_OR_FAIL(const std::vector<std::uint32_t> counts, DivideSlots(classes, bytes));
  SlotSlab slab;
  std::size_t begin = 0;
  std::uint32_t first_slot = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    Class& c = slab.classes_.emplace_back();
    c.slot_bytes = classes.classes[i].slot_bytes;
    c.begin = begin;
    c.first_slot = first_slot;
    c.slot_count = counts[i];
    c.free.reserve(c.slot_count);
    // Taken from the back: lowest addresses first.
    for (std::uint32_t slot = c.slot_count; slot > 0; --slot)
      c.free.push_back(SlotIndex{first_slot + slot - 1});
    slab.class_of_.insert(slab.class_of_.end(), c.slot_count, static_cast<std::uint8_t>(i));
    begin += c.slot_bytes * c.slot_count;
    first_slot += c.slot_count;
  }
  EDGEMOE_CHECK(begin <= bytes, "slots divided beyond the budget");
  slab.taken_.resize(slab.class_of_.size());
  EDGEMOE_ASSIGN_OR_FAIL(slab.memory_, AlignedBuffer::Allocate(begin));
  return slab;
}

bool SlotSlab::TryTake(std::uint8_t slot_class, SlotIndex& slot) {
  std::vector<SlotIndex>& free = classes_[slot_class].free;
  if (free.empty()) return false;
  slot = free.back();
  free.pop_back();
  EDGEMOE_CHECK(!taken_[slot.value], "a free slot was taken");
  taken_[slot.value] = true;
  return true;
}

void SlotSlab::Free(SlotIndex slot) {
  EDGEMOE_CHECK(taken_[slot.value], "slot freed twice");
  taken_[slot.value] = false;
  classes_[class_of_[slot.value]].free.push_back(slot);
}

std::span<std::byte> SlotSlab::BytesOf(SlotIndex slot) const {
  const Class& c = classes_[class_of_[slot.value]];
  return memory_.span().subspan(c.begin + (slot.value - c.first_slot) * c.slot_bytes, c.slot_bytes);
}

}  // namespace edgemoe
