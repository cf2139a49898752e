// SPDX-License-Identifier: Apache-2.0
#include "engine/study/importance.h"

#include <algorithm>
#include <numeric>
#include <span>
#include <utility>

#include "engine/base/check.h"

namespace edgemoe {
namespace {

constexpr std::array<ExpertSum, kExpertSumCount> kSums = {ExpertSum::kInput, ExpertSum::kGateSlope,
                                                          ExpertSum::kUpSlope, ExpertSum::kHidden};

Importance Normalized(std::span<const double> moments) {
  Importance importance;
  const auto count = static_cast<double>(moments.size());
  importance.mean = std::accumulate(moments.begin(), moments.end(), 0.0) / count;
  importance.weights.assign(moments.size(), 1.0F);
  if (importance.mean <= 0) return importance;
  double floored_sum = 0;
  for (std::size_t i = 0; i < moments.size(); ++i) {
    importance.weights[i] =
        std::max(static_cast<float>(moments[i] / importance.mean), kImportanceMin);
    floored_sum += static_cast<double>(importance.weights[i]);
  }
  const auto scale = static_cast<float>(count / floored_sum);
  for (float& weight : importance.weights) weight *= scale;
  return importance;
}

std::vector<double> MeanOfUses(const ActivationStats& stats, ExpertSum which,
                               ExpertLayerIndex layer) {
  std::vector<double> mean(stats.sum(which, {layer, ExpertIndex{0}}).size());
  std::uint64_t use_count = 0;
  for (std::uint32_t expert = 0; expert < stats.shape().expert_count; ++expert) {
    const ExpertKey key = {layer, ExpertIndex{expert}};
    const std::span<const float> sums = stats.sum(which, key);
    for (std::size_t i = 0; i < mean.size(); ++i) mean[i] += static_cast<double>(sums[i]);
    use_count += stats.use_count(key);
  }
  if (use_count == 0) return mean;
  for (double& value : mean) value /= static_cast<double>(use_count);
  return mean;
}

}  // namespace

ImportanceTable::ImportanceTable(const ActivationStats& stats)
    : stats_(stats), layer_means_(stats.shape().expert_layers.size()) {
  for (std::uint32_t layer = 0; layer < layer_means_.size(); ++layer) {
    for (const ExpertSum which : kSums) {
      layer_means_[layer][static_cast<std::size_t>(which)] =
          MeanOfUses(stats, which, ExpertLayerIndex{layer});
    }
  }
}

Importance ImportanceTable::OfExpert(ExpertSum which, ExpertKey key) const {
  const std::span<const float> sums = stats_.sum(which, key);
  const double uses = static_cast<double>(stats_.use_count(key));
  std::vector<double> moments = layer_means_[key.layer.value][static_cast<std::size_t>(which)];
  for (std::size_t i = 0; i < moments.size(); ++i) {
    moments[i] = (static_cast<double>(sums[i]) + kPriorUses * moments[i]) / (uses + kPriorUses);
  }
  return Normalized(moments);
}

Importance ImportanceTable::Columns(ExpertKey key, ExpertRole role) const {
  return OfExpert(role == ExpertRole::kDown ? ExpertSum::kHidden : ExpertSum::kInput, key);
}

Importance ImportanceTable::Rows(ExpertKey key, ExpertRole role) const {
  EDGEMOE_CHECK(role != ExpertRole::kDown, "the rows of down are the outputs");
  return OfExpert(role == ExpertRole::kGate ? ExpertSum::kGateSlope : ExpertSum::kUpSlope, key);
}

Importance ImportanceTable::Columns(DenseInput input, LayerIndex layer) const {
  const std::span<const float> sums = stats_.dense_sum(input, layer);
  const auto rows = static_cast<double>(std::max<std::uint64_t>(stats_.row_count(input, layer), 1));
  std::vector<double> moments(sums.size());
  for (std::size_t i = 0; i < moments.size(); ++i) {
    moments[i] = static_cast<double>(sums[i]) / rows;
  }
  return Normalized(moments);
}

}  // namespace edgemoe
