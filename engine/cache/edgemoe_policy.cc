// SPDX-License-Identifier: Apache-2.0
#include "engine/cache/edgemoe_policy.h"

#include <limits>

namespace edgemoe {

EdgemoePolicy::EdgemoePolicy(const PolicyShape& shape, EdgemoeFormula formula)
    : formula_(formula),
      layer_count_(shape.layer_count),
      experts_per_layer_(shape.experts_per_layer),
      residents_(shape),
      counts_(residents_.size()),
      counted_(shape.experts_per_layer),
      nearness_(shape.layer_count, 1.0) {}

std::unique_ptr<EvictionPolicy> EdgemoePolicy::Make(const PolicyShape& shape) {
  return std::make_unique<EdgemoePolicy>(shape, EdgemoeFormula::kCorrected);
}

void EdgemoePolicy::OnLayer(ExpertLayerIndex layer) {
  counted_.assign(counted_.size(), false);
  for (std::uint32_t i = 0; i < layer_count_; ++i) {
    std::uint32_t distance = LayerDistance(layer.value, i, layer_count_);
    // The printed formula divides by zero for the layer that runs now: those experts are kept above
    // all.
    if (formula_ == EdgemoeFormula::kPrinted) distance = layer_count_ - distance;
    nearness_[i] = distance == 0 ? std::numeric_limits<double>::max() : 1.0 / distance;
  }
}

void EdgemoePolicy::OnUse(const ExpertUse& use) {
  if (counted_[use.key.expert.value]) return;
  counted_[use.key.expert.value] = true;
  std::uint32_t& count = counts_[residents_.IndexOf(use.key)];
  if (count < std::numeric_limits<std::uint32_t>::max()) ++count;
}

std::optional<ExpertKey> EdgemoePolicy::Victim() const {
  return residents_.Least(
      [this](std::size_t index) { return counts_[index] * nearness_[index / experts_per_layer_]; });
}

void EdgemoePolicy::AppendBest(std::size_t count, std::vector<ExpertKey>& keys) const {
  const auto worth = [this](std::size_t index) { return counts_[index]; };
  residents_.AppendGreatest(count, worth, keys);
}

}  // namespace edgemoe
