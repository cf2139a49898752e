// SPDX-License-Identifier: Apache-2.0
//
// Which sizes of slot a model's experts need, and how a number of bytes is divided among them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/base/expert_key.h"
#include "engine/base/result.h"
#include "engine/base/system/aligned_buffer.h"
#include "engine/base/system/page_size.h"

namespace edgemoe {

constexpr std::size_t kSlotClassCountMax = 8;

// Slots hold whole blocks of storage, as reads bring them. A page of memory may be larger: slots of
// a class lie without gaps, and only the class's memory as a whole is rounded up to pages.
constexpr std::size_t kSlotAlignment = 4096;

// One size of slot.
struct SlotClass {
  std::uint64_t slot_bytes = 0;    // a multiple of kSlotAlignment; fits each of its experts
  std::uint32_t expert_count = 0;  // experts of this class in the whole model
  // Slots for this class's part of one token's demand: top_k / experts_per_layer of its experts,
  // rounded up. Where all experts of a layer have one size, this is what each token needs; with
  // fewer slots a token evicts what the next one starts with, and LRU never hits. Where sizes
  // differ, it is what a token needs on average. A token that needs more waits for slots; to set
  // aside the most that any token might need of every class would take nearly a slot for each
  // expert.
  std::uint32_t slot_floor = 0;
};

// An expert lives only in slots of its own class: borrowing a larger one would waste bytes and let
// one class starve the other. As slots are shared out by the bytes demanded, all classes keep the
// same fraction of their experts.
struct SlotClasses {
  std::uint32_t layer_count = 0;
  std::uint32_t experts_per_layer = 0;
  std::uint64_t page_bytes = 0;        // memory comes and goes in multiples of this
  std::vector<SlotClass> classes;      // 1 to kSlotClassCountMax, smallest slots first
  std::vector<std::uint8_t> class_of;  // [layer_count, experts_per_layer]; kNoSlotClass: no expert

  // Memory for `slot_count` slots of a class: whole pages.
  std::uint64_t MemoryBytes(const SlotClass& c, std::uint32_t slot_count) const {
    return AlignUp(c.slot_bytes * slot_count, page_bytes);
  }

  std::size_t IndexOf(ExpertKey key) const {
    return std::size_t{key.layer.value} * experts_per_layer + key.expert.value;
  }
};
constexpr std::uint8_t kNoSlotClass = 0xff;

// Groups experts by the slot bytes that they need, into as few classes as keep the padding (slot
// bytes beyond what the experts in them need, were all resident) within 5 %, or into
// kSlotClassCountMax; of all such groupings the one with the least padding, up to 1/256 of the
// largest expert. So the experts of a stock GGUF, which lie at any offset within a block and need
// up to 3 blocks more or less, are one class, and those of a pack with dozens of sizes a few. More
// classes would each have fewer experts, of which the policy could choose. `expert_slot_bytes` is
// [layer_count, experts_per_layer], 0 where a layer has no experts. `page_bytes` is a power of two,
// at least the kernel's. INVALID_ARGUMENT when there is no expert at all, or top_k is not within 1
// to experts_per_layer.
Result<SlotClasses> MakeSlotClasses(std::uint32_t layer_count, std::uint32_t experts_per_layer,
                                    std::uint32_t top_k,
                                    std::span<const std::uint64_t> expert_slot_bytes,
                                    std::uint64_t page_bytes = PageBytes());

// `classes` with other floors: the most experts of each class that one token may want in a single
// layer. For sources that read every layer again and keep nothing of the layer before.
SlotClasses WithLayerFloors(SlotClasses classes, std::uint32_t top_k);

// The least slab that works: with the floors of MakeSlotClasses one token's demand, on the average
// and rounded up to whole slots of each class.
std::uint64_t SlabBytesMin(const SlotClasses& classes);
// The slab in which every expert has a slot; more is of no use.
std::uint64_t SlabBytesMax(const SlotClasses& classes);

// Slots of each class for at most `bytes`: the floors first, what is left by the bytes that each
// class demands. RESOURCE_EXHAUSTED below SlabBytesMin, naming both.
Result<std::vector<std::uint32_t>> DivideSlots(const SlotClasses& classes, std::uint64_t bytes);

}  // namespace edgemoe
