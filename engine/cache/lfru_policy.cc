// SPDX-License-Identifier: Apache-2.0
#include "engine/cache/lfru_policy.h"

#include <span>

namespace edgemoe {
namespace {

constexpr double kDistanceWeight = 0.3;

}  // namespace

LfruPolicy::LfruPolicy(const PolicyShape& shape)
    : layer_count_(shape.layer_count),
      experts_per_layer_(shape.experts_per_layer),
      residents_(shape),
      nearness_(shape.layer_count, 1.0),
      least_(shape.layer_count),
      rates_(shape) {}

std::unique_ptr<EvictionPolicy> LfruPolicy::Make(const PolicyShape& shape) {
  return std::make_unique<LfruPolicy>(shape);
}

void LfruPolicy::OnLayer(ExpertLayerIndex layer) {
  rates_.OnLayer(layer);
  for (std::uint32_t i = 0; i < layer_count_; ++i) {
    const std::uint32_t distance = LayerDistance(layer.value, i, layer_count_);
    nearness_[i] = 1.0 - kDistanceWeight * distance / layer_count_;
  }
}

void LfruPolicy::OnInsert(ExpertKey key) {
  rates_.Settle();
  residents_.Insert(key);
}

void LfruPolicy::OnPin(ExpertKey key) {
  rates_.Settle();
  residents_.Pin(key);
  least_[key.layer.value].known = false;
}

void LfruPolicy::OnUnpin(ExpertKey key) {
  residents_.Unpin(key);
  least_[key.layer.value].known = false;
}

void LfruPolicy::OnErase(ExpertKey key) {
  residents_.Erase(key);
  least_[key.layer.value].known = false;
}

std::optional<ExpertKey> LfruPolicy::Victim() const {
  std::optional<std::size_t> victim;
  double least_worth = 0;
  for (std::uint32_t layer = 0; layer < layer_count_; ++layer) {
    Least& least = least_[layer];
    if (!least.known || least.version != rates_.version(ExpertLayerIndex{layer}))
      Search(layer, least);
    const double worth = least.rate * nearness_[layer];
    if (least.rate == kNone || (victim && worth >= least_worth)) continue;
    least_worth = worth;
    victim = least.index;
  }
  if (!victim) return std::nullopt;
  return residents_.KeyOf(*victim);
}

void LfruPolicy::Search(std::uint32_t layer, Least& least) const {
  least = {
      .known = true, .version = rates_.version(ExpertLayerIndex{layer}), .rate = kNone, .index = 0};
  const std::span<const std::uint32_t> rates = rates_.rates();
  const std::size_t begin = std::size_t{layer} * experts_per_layer_;
  for (std::size_t i = begin; i < begin + experts_per_layer_; ++i) {
    if (!residents_.evictable(i) || rates[i] >= least.rate) continue;
    least.rate = rates[i];
    least.index = i;
  }
}

void LfruPolicy::AppendBest(std::size_t count, std::vector<ExpertKey>& keys) const {
  const auto worth = [this](std::size_t index) { return rates_.rates()[index]; };
  residents_.AppendGreatest(count, worth, keys);
}

}  // namespace edgemoe
