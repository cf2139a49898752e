// SPDX-License-Identifier: Apache-2.0
//
// Which experts are in memory, and where: keys and bytes, no disks, no tensors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/base/expert_key.h"
#include "engine/cache/eviction_policy.h"
#include "engine/cache/slot_slab.h"

namespace edgemoe {

class ExpertCache;

// Proof that an expert is resident and stays where it is. Move-only; unpins when it dies, which has
// to be before the cache does. Empty: no proof.
class ExpertPin {
 public:
  ExpertPin() = default;
  ExpertPin(ExpertPin&& other) noexcept;
  ExpertPin& operator=(ExpertPin&& other) noexcept;
  ~ExpertPin() { Reset(); }

  explicit operator bool() const { return cache_ != nullptr; }
  ExpertKey key() const { return key_; }
  std::span<const std::byte> bytes() const;
  void Reset();

 private:
  friend class ExpertCache;
  ExpertPin(ExpertCache* cache, ExpertKey key) : cache_(cache), key_(key) {}

  ExpertCache* cache_ = nullptr;
  ExpertKey key_;
};

enum class ExpertState : std::uint8_t { kAbsent, kLoading, kResident };

struct CacheCounters {
  std::uint64_t hits = 0;        // TryPin found the expert resident
  std::uint64_t misses = 0;      // it was absent
  std::uint64_t joins = 0;       // it was loading already: a miss that costs no second read
  std::uint64_t insertions = 0;  // loads completed
  std::uint64_t failures = 0;    // loads failed
  std::uint64_t evictions = 0;
  std::uint64_t resident_bytes = 0;  // slot bytes of resident experts, now
  std::uint32_t resident_count = 0;  // now
  std::uint32_t loading_count = 0;   // now
  std::uint32_t pinned_count = 0;    // resident experts with at least one pin, now
};

// A table of all experts of the model, each in one state:
//
//   absent    no slot.
//   loading   has a slot whose bytes are being written by whoever reserved it; cannot be evicted.
//   resident  has a slot whose bytes are complete. With at least one pin it cannot be evicted;
//             without, the policy of its size class may choose it as a victim.
//
//   absent -TryReserve-> loading -Complete-> resident -(evicted by another's TryReserve)-> absent
//                        loading -Fail-> absent
//
// Invariants:
//   1. Single flight: only an absent expert can be reserved, so no expert is read twice at once.
//   2. Slots taken in the slab = loading + resident. The slab's bound is therefore the cache's.
//   3. A policy knows exactly the resident experts of its class, and which of them are pinned.
//   4. Only a pinned expert's bytes may be looked at; a pin is the only way to reach them.
//
// Confined to the engine's thread. No allocation after construction; each call O(1) beside the
// policy's own cost.
class ExpertCache {
 public:
  // `slab` was made from the same `classes` and outlives the cache, which takes all its slots.
  ExpertCache(const SlotClasses& classes, SlotSlab* slab, const EvictionPolicyFactory& make_policy,
              std::uint32_t sessions_max = 1);
  ~ExpertCache();
  ExpertCache(const ExpertCache&) = delete;
  ExpertCache& operator=(const ExpertCache&) = delete;

  ExpertState state(ExpertKey key) const { return entries_[classes_.IndexOf(key)].state; }
  const SlotClasses& classes() const { return classes_; }
  std::uint8_t ClassOf(ExpertKey key) const { return classes_.class_of[classes_.IndexOf(key)]; }

  // Tells the policies what a layer's rows chose, before anything of that layer is pinned or
  // reserved for them. Ignored while the cache holds all experts.
  void OnRouted(ExpertLayerIndex layer, std::span<const RoutedRow> rows);

  // Whether every expert of the model has a slot, so that nothing need ever give way.
  bool HoldsAll() const;

  // Counts a hit, a join or a miss. The pin is empty unless the expert is resident.
  ExpertPin TryPin(ExpertKey key);

  // Pins as TryPin does, but is not counted as a use by a layer.
  ExpertPin Hold(ExpertKey key);

  // Whether TryReserve would evict nothing.
  bool HasFreeSlot(ExpertKey key) const { return slab_->free_count(ClassOf(key)) > 0; }

  // absent -> loading: gives the slot to fill, at least as large as the expert's slot bytes; evicts
  // one expert of the class if no slot is free. Empty when all slots of the class are pinned or
  // loading. REQUIRES: absent, and the model has this expert.
  std::span<std::byte> TryReserve(ExpertKey key);

  // loading -> resident; the pin keeps the newcomer until its first use. REQUIRES: loading.
  ExpertPin Complete(ExpertKey key);

  // loading -> absent: the slot is free, nothing writes to it any more. REQUIRES: loading.
  void Fail(ExpertKey key);

  // Makes the slab use at most `bytes`, more or less than before. Where a class shrinks, its
  // policy's victims go until the others fit; those that stay may move. RESOURCE_EXHAUSTED below
  // SlabBytesMin, with nothing changed, or when the kernel has no memory: then classes that were to
  // grow have not, and victims may be gone. Allocates. REQUIRES: nothing is pinned or loading; no
  // reader has the slab's memory registered.
  Status Resize(std::uint64_t bytes);

  // Appends the experts that the policies would keep, best of each class first: at most as many as
  // there are slots. Allocates.
  void AppendBest(std::vector<ExpertKey>& keys) const;

  // resident -> absent. REQUIRES: resident, not pinned.
  void Drop(ExpertKey key) { Evict(key); }

  const CacheCounters& counters() const { return counters_; }

 private:
  friend class ExpertPin;
  struct Entry {
    ExpertState state = ExpertState::kAbsent;
    SlotIndex slot;               // unless absent
    std::uint32_t pin_count = 0;  // 0 unless resident
  };

  Entry& EntryOf(ExpertKey key);
  ExpertPin Pin(ExpertKey key, Entry& entry);
  void Unpin(ExpertKey key);
  void Evict(ExpertKey key);

  const SlotClasses classes_;
  SlotSlab* const slab_;
  std::vector<std::unique_ptr<EvictionPolicy>> policies_;  // one a class
  std::vector<Entry> entries_;                             // [layer_count, experts_per_layer]
  CacheCounters counters_;
};

}  // namespace edgemoe
