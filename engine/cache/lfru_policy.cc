// SPDX-License-Identifier: Apache-2.0
#include "engine/cache/lfru_policy.h"

#include <algorithm>
#include <span>

namespace edgemoe {
namespace {

constexpr std::uint32_t kShield = ~std::uint32_t{0};
constexpr double kDistanceWeight = 0.3;

}  // namespace

LfruPolicy::LfruPolicy(const PolicyShape& shape)
    : layer_count_(shape.layer_count),
      experts_per_layer_(shape.experts_per_layer),
      residents_(shape),
      shields_(residents_.size(), kShield),
      nearness_(shape.layer_count, 1.0),
      rates_(shape) {}

std::unique_ptr<EvictionPolicy> LfruPolicy::Make(const PolicyShape& shape) {
  return std::make_unique<LfruPolicy>(shape);
}

void LfruPolicy::OnLayer(LayerIndex layer) {
  rates_.OnLayer(layer);
  for (std::uint32_t i = 0; i < layer_count_; ++i) {
    const std::uint32_t distance = LayerDistance(layer.value, i, layer_count_);
    nearness_[i] = 1.0 - kDistanceWeight * distance / layer_count_;
  }
}

void LfruPolicy::OnPin(ExpertKey key) {
  residents_.Pin(key);
  shields_[residents_.IndexOf(key)] = kShield;
}

void LfruPolicy::OnUnpin(ExpertKey key) {
  residents_.Unpin(key);
  shields_[residents_.IndexOf(key)] = 0;
}

void LfruPolicy::OnErase(ExpertKey key) {
  residents_.Erase(key);
  shields_[residents_.IndexOf(key)] = kShield;
}

std::optional<ExpertKey> LfruPolicy::Victim() const {
  std::optional<ExpertKey> victim;
  double least_worth = 0;
  const std::span<const std::uint32_t> rates = rates_.rates();
  for (std::uint32_t layer = 0; layer < layer_count_; ++layer) {
    const std::size_t begin = std::size_t{layer} * experts_per_layer_;
    std::uint32_t least = kShield;
    for (std::size_t i = begin; i < begin + experts_per_layer_; ++i)
      least = std::min(least, rates[i] | shields_[i]);
    if (least == kShield) continue;
    const double worth = least * nearness_[layer];
    if (victim && worth >= least_worth) continue;
    least_worth = worth;
    std::size_t index = begin;
    while ((rates[index] | shields_[index]) != least) ++index;
    victim = residents_.KeyOf(index);
  }
  return victim;
}

void LfruPolicy::AppendBest(std::size_t count, std::vector<ExpertKey>& keys) const {
  residents_.AppendGreatest(
      count, [this](std::size_t i) { return rates_.rates()[i]; }, keys);
}

}  // namespace edgemoe
