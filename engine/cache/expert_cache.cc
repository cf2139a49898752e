// SPDX-License-Identifier: Apache-2.0
#include "engine/cache/expert_cache.h"

#include <unordered_map>
#include <utility>

#include "engine/base/check.h"

namespace edgemoe {

ExpertPin::ExpertPin(ExpertPin&& other) noexcept
    : cache_(std::exchange(other.cache_, nullptr)), key_(other.key_) {}

ExpertPin& ExpertPin::operator=(ExpertPin&& other) noexcept {
  if (this != &other) {
    Reset();
    cache_ = std::exchange(other.cache_, nullptr);
    key_ = other.key_;
  }
  return *this;
}

std::span<const std::byte> ExpertPin::bytes() const {
  EDGEMOE_CHECK(cache_ != nullptr, "an empty pin shows nothing");
  return cache_->slab_->BytesOf(cache_->EntryOf(key_).slot);
}

void ExpertPin::Reset() {
  if (ExpertCache* cache = std::exchange(cache_, nullptr)) cache->Unpin(key_);
}

ExpertCache::ExpertCache(const SlotClasses& classes, SlotSlab* slab,
                         const EvictionPolicyFactory& make_policy, std::uint32_t sessions_max)
    : classes_(classes), slab_(slab), entries_(classes.class_of.size()) {
  for (std::size_t i = 0; i < classes.classes.size(); ++i)
    policies_.push_back(make_policy({.layer_count = classes.layer_count,
                                     .experts_per_layer = classes.experts_per_layer,
                                     .sessions_max = sessions_max}));
}

ExpertCache::~ExpertCache() {
  EDGEMOE_CHECK(counters_.pinned_count == 0, "a pin outlives the cache");
  EDGEMOE_CHECK(counters_.loading_count == 0, "a load outlives the cache");
  for (const Entry& entry : entries_)
    if (entry.state == ExpertState::kResident) slab_->Free(entry.slot);
}

void ExpertCache::OnRouted(ExpertLayerIndex layer, std::span<const RoutedRow> rows) {
  if (HoldsAll()) return;
  for (const std::unique_ptr<EvictionPolicy>& policy : policies_) TellRouting(*policy, layer, rows);
}

bool ExpertCache::HoldsAll() const {
  for (std::uint8_t c = 0; c < classes_.classes.size(); ++c)
    if (slab_->slot_count(c) < classes_.classes[c].expert_count) return false;
  return true;
}

ExpertPin ExpertCache::TryPin(ExpertKey key) {
  Entry& entry = EntryOf(key);
  switch (entry.state) {
    case ExpertState::kAbsent: ++counters_.misses; return {};
    case ExpertState::kLoading: ++counters_.joins; return {};
    case ExpertState::kResident: break;
  }
  ++counters_.hits;
  return Pin(key, entry);
}

ExpertPin ExpertCache::Hold(ExpertKey key) {
  Entry& entry = EntryOf(key);
  return entry.state == ExpertState::kResident ? Pin(key, entry) : ExpertPin();
}

std::span<std::byte> ExpertCache::TryReserve(ExpertKey key) {
  Entry& entry = EntryOf(key);
  EDGEMOE_CHECK(entry.state == ExpertState::kAbsent, "single flight: already loading or resident");
  const std::uint8_t slot_class = ClassOf(key);
  EDGEMOE_CHECK(slot_class != kNoSlotClass, "the model has no such expert");
  if (!slab_->TryTake(slot_class, entry.slot)) {
    const std::optional<ExpertKey> victim = policies_[slot_class]->Victim();
    if (!victim) return {};
    Evict(*victim);
    EDGEMOE_CHECK(slab_->TryTake(slot_class, entry.slot), "an eviction frees a slot of its class");
  }
  entry.state = ExpertState::kLoading;
  ++counters_.loading_count;
  return slab_->BytesOf(entry.slot);
}

ExpertPin ExpertCache::Complete(ExpertKey key) {
  Entry& entry = EntryOf(key);
  EDGEMOE_CHECK(entry.state == ExpertState::kLoading, "completed without a load");
  entry.state = ExpertState::kResident;
  entry.pin_count = 1;
  --counters_.loading_count;
  ++counters_.insertions;
  ++counters_.resident_count;
  ++counters_.pinned_count;
  counters_.resident_bytes += slab_->BytesOf(entry.slot).size();
  policies_[ClassOf(key)]->OnInsert(key);
  return ExpertPin(this, key);
}

void ExpertCache::Fail(ExpertKey key) {
  Entry& entry = EntryOf(key);
  EDGEMOE_CHECK(entry.state == ExpertState::kLoading, "failed without a load");
  entry.state = ExpertState::kAbsent;
  slab_->Free(entry.slot);
  --counters_.loading_count;
  ++counters_.failures;
}

Status ExpertCache::Resize(std::uint64_t bytes) {
  EDGEMOE_CHECK(counters_.pinned_count == 0 && counters_.loading_count == 0,
                "resized with experts in use");
  EDGEMOE_ASSIGN_OR_RETURN(const std::vector<std::uint32_t> counts, DivideSlots(classes_, bytes));
  for (std::uint8_t c = 0; c < counts.size(); ++c) {
    while (slab_->slot_count(c) - slab_->free_count(c) > counts[c]) {
      const std::optional<ExpertKey> victim = policies_[c]->Victim();
      EDGEMOE_CHECK(victim, "residents that nobody uses, and no victim among them");
      Evict(*victim);
    }
  }
  std::unordered_map<SlotIndex, Entry*> residents;
  for (Entry& entry : entries_)
    if (entry.state == ExpertState::kResident) residents.emplace(entry.slot, &entry);
  return slab_->Resize(counts,
                       [&](SlotIndex from, SlotIndex to) { residents.at(from)->slot = to; });
}

void ExpertCache::AppendBest(std::vector<ExpertKey>& keys) const {
  for (std::uint8_t c = 0; c < policies_.size(); ++c)
    policies_[c]->AppendBest(slab_->slot_count(c), keys);
}

ExpertCache::Entry& ExpertCache::EntryOf(ExpertKey key) {
  EDGEMOE_CHECK(
      key.layer.value < classes_.layer_count && key.expert.value < classes_.experts_per_layer,
      "no such expert");
  return entries_[classes_.IndexOf(key)];
}

ExpertPin ExpertCache::Pin(ExpertKey key, Entry& entry) {
  if (entry.pin_count++ == 0) {
    ++counters_.pinned_count;
    policies_[ClassOf(key)]->OnPin(key);
  }
  return ExpertPin(this, key);
}

void ExpertCache::Unpin(ExpertKey key) {
  Entry& entry = EntryOf(key);
  EDGEMOE_CHECK(entry.state == ExpertState::kResident && entry.pin_count > 0, "was not pinned");
  if (--entry.pin_count > 0) return;
  --counters_.pinned_count;
  policies_[ClassOf(key)]->OnUnpin(key);
}

void ExpertCache::Evict(ExpertKey key) {
  Entry& entry = EntryOf(key);
  EDGEMOE_CHECK(entry.state == ExpertState::kResident && entry.pin_count == 0,
                "the policy chose what cannot be evicted");
  policies_[ClassOf(key)]->OnErase(key);
  counters_.resident_bytes -= slab_->BytesOf(entry.slot).size();
  --counters_.resident_count;
  ++counters_.evictions;
  entry.state = ExpertState::kAbsent;
  slab_->Free(entry.slot);
}

}  // namespace edgemoe
