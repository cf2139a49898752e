// SPDX-License-Identifier: Apache-2.0
#include "engine/study/replaced_experts.h"

#include "engine/base/check.h"

namespace edgemoe {

ReplacedExperts::ReplacedExperts(std::uint32_t layer_count, std::uint32_t experts_per_layer)
    : layer_count_(layer_count),
      experts_per_layer_(experts_per_layer),
      matrices_(std::size_t{layer_count} * experts_per_layer) {}

std::size_t ReplacedExperts::IndexOf(ExpertKey key) const {
  EDGEMOE_CHECK(key.layer.value < layer_count_ && key.expert.value < experts_per_layer_,
                "no such expert");
  return std::size_t{key.layer.value} * experts_per_layer_ + key.expert.value;
}

void ReplacedExperts::Set(ExpertKey key, ExpertRole role, TensorType type,
                          std::span<const std::byte> bytes) {
  EDGEMOE_CHECK(!bytes.empty(), "a matrix of no bytes");
  const std::size_t index = IndexOf(key);
  matrices_[index][static_cast<std::size_t>(role)] = {type, bytes.data()};
  changed_.push_back(index);
}

void ReplacedExperts::Clear() {
  for (const std::size_t index : changed_) matrices_[index] = {};
  changed_.clear();
}

ReplacedExpertsSource::ReplacedExpertsSource(ExpertSource* inner, const ReplacedExperts* overlay)
    : inner_(inner), overlay_(overlay) {}

void ReplacedExpertsSource::Begin(ExpertLayerIndex layer, std::span<const RoutedRow> rows,
                                  std::span<const ExpertIndex> experts) {
  layer_ = layer;
  inner_->Begin(layer, rows, experts);
}

std::size_t ReplacedExpertsSource::NextReady(std::span<ReadyExpert> ready) {
  const std::size_t count = inner_->NextReady(ready);
  if (overlay_->empty()) return count;
  for (ReadyExpert& expert : ready.first(count)) {
    if (!expert.status.ok()) continue;
    const ReplacedExperts::Matrices& matrices = overlay_->of({layer_, expert.expert});
    for (std::size_t role = 0; role < kExpertRoleCount; ++role) {
      if (matrices[role].bytes == nullptr) continue;
      expert.matrices[role] = matrices[role].bytes;
      expert.types[role] = matrices[role].type;
    }
  }
  return count;
}

}  // namespace edgemoe
