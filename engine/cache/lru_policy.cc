// SPDX-License-Identifier: Apache-2.0
#include "engine/cache/lru_policy.h"

#include "engine/base/check.h"

namespace edgemoe {

LruPolicy::LruPolicy(std::uint32_t layer_count, std::uint32_t experts_per_layer)
    : experts_per_layer_(experts_per_layer),
      sentinel_(layer_count * experts_per_layer),
      links_(std::size_t{sentinel_} + 1) {
  for (std::uint32_t index = 0; index <= sentinel_; ++index) links_[index] = {index, index};
}

std::unique_ptr<EvictionPolicy> LruPolicy::Make(std::uint32_t layer_count,
                                                std::uint32_t experts_per_layer) {
  return std::make_unique<LruPolicy>(layer_count, experts_per_layer);
}

void LruPolicy::OnInsert(ExpertKey key) { EDGEMOE_CHECK(!Linked(IndexOf(key)), "inserted twice"); }

// A use is followed by a pin, and the unpin after it makes the expert the most recent.
void LruPolicy::OnUse(ExpertKey) {}

void LruPolicy::OnPin(ExpertKey key) {
  const std::uint32_t index = IndexOf(key);
  EDGEMOE_CHECK(Linked(index), "pinned twice, or not resident");
  Unlink(index);
}

void LruPolicy::OnUnpin(ExpertKey key) {
  const std::uint32_t index = IndexOf(key);
  EDGEMOE_CHECK(!Linked(index), "unpinned twice");
  const std::uint32_t last = links_[sentinel_].previous;
  links_[index] = {.previous = last, .next = sentinel_};
  links_[last].next = index;
  links_[sentinel_].previous = index;
}

void LruPolicy::OnErase(ExpertKey key) {
  const std::uint32_t index = IndexOf(key);
  EDGEMOE_CHECK(Linked(index), "erased while pinned, or not resident");
  Unlink(index);
}

std::optional<ExpertKey> LruPolicy::Victim() const {
  const std::uint32_t index = links_[sentinel_].next;
  if (index == sentinel_) return std::nullopt;
  return ExpertKey{LayerIndex{index / experts_per_layer_}, ExpertIndex{index % experts_per_layer_}};
}

std::uint32_t LruPolicy::IndexOf(ExpertKey key) const {
  return key.layer.value * experts_per_layer_ + key.expert.value;
}

void LruPolicy::Unlink(std::uint32_t index) {
  const Link link = links_[index];
  links_[link.previous].next = link.next;
  links_[link.next].previous = link.previous;
  links_[index] = {index, index};
}

}  // namespace edgemoe
