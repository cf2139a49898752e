// SPDX-License-Identifier: Apache-2.0
#include "engine/cache/lru_policy.h"

#include "engine/base/check.h"

namespace edgemoe {

LruPolicy::LruPolicy(const PolicyShape& shape)
    : experts_per_layer_(shape.experts_per_layer),
      sentinel_(shape.layer_count * shape.experts_per_layer),
      links_(std::size_t{sentinel_} + 1) {
  for (std::uint32_t index = 0; index <= sentinel_; ++index) links_[index] = {index, index};
}

std::unique_ptr<EvictionPolicy> LruPolicy::Make(const PolicyShape& shape) {
  return std::make_unique<LruPolicy>(shape);
}

void LruPolicy::OnInsert(ExpertKey key) { EDGEMOE_CHECK(!Linked(IndexOf(key)), "inserted twice"); }

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
  return KeyOf(index);
}

void LruPolicy::AppendBest(std::size_t count, std::vector<ExpertKey>& keys) const {
  for (std::uint32_t index = links_[sentinel_].previous; index != sentinel_ && count > 0;
       index = links_[index].previous, --count) {
    keys.push_back(KeyOf(index));
  }
}

ExpertKey LruPolicy::KeyOf(std::uint32_t index) const {
  return {ExpertLayerIndex{index / experts_per_layer_}, ExpertIndex{index % experts_per_layer_}};
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
