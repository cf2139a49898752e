// SPDX-License-Identifier: Apache-2.0
#include "engine/model/model_config.h"

#include <algorithm>

namespace edgemoe {
namespace {

template <class Of>
std::uint32_t MaxOver(const std::vector<LayerConfig>& layers, Of of) {
  std::uint32_t most = 0;
  for (const LayerConfig& layer : layers) most = std::max(most, of(layer));
  return most;
}

// Over the layers with this mixer.
template <class Config, class Of>
std::uint32_t MaxOf(const std::vector<LayerConfig>& layers, Of of) {
  return MaxOver(layers, [&](const LayerConfig& layer) {
    const auto* const mixer = layer.mixer_as<Config>();
    return mixer == nullptr ? 0 : of(*mixer);
  });
}

}  // namespace

std::uint32_t LayerConfig::attended_size() const {
  if (const auto* const attention = mixer_as<AttentionConfig>()) return attention->q_size();
  if (const auto* const latent = mixer_as<LatentAttentionConfig>()) return latent->values_size();
  return 0;
}

std::uint32_t ModelConfig::expert_layer_count() const {
  return static_cast<std::uint32_t>(
      std::ranges::count_if(layers, [](const LayerConfig& l) { return l.experts.has_value(); }));
}

std::vector<LayerIndex> ModelConfig::expert_layers() const {
  std::vector<LayerIndex> indices;
  for (std::uint32_t layer = 0; layer < layers.size(); ++layer)
    if (layers[layer].experts) indices.push_back(LayerIndex{layer});
  return indices;
}

std::uint32_t ModelConfig::attended_size_max() const {
  return MaxOver(layers, [](const LayerConfig& l) { return l.attended_size(); });
}

std::uint32_t ModelConfig::q_rows_max() const {
  return std::max(
      MaxOf<AttentionConfig>(layers, [](const auto& a) { return a.q_rows(); }),
      MaxOf<LatentAttentionConfig>(layers, [](const auto& l) { return l.queries_size(); }));
}

std::uint32_t ModelConfig::kv_size_max() const {
  return std::max(MaxOf<AttentionConfig>(layers, [](const auto& a) { return a.kv_size(); }),
                  MaxOf<LatentAttentionConfig>(layers, [](const auto& l) { return l.key_size(); }));
}

std::uint32_t ModelConfig::head_count_max() const {
  return std::max(MaxOf<AttentionConfig>(layers, [](const auto& a) { return a.head_count; }),
                  MaxOf<LatentAttentionConfig>(layers, [](const auto& l) { return l.head_count; }));
}

std::uint32_t ModelConfig::query_latent_size_max() const {
  return MaxOf<LatentAttentionConfig>(layers, [](const auto& l) { return l.query_latent_size; });
}

bool ModelConfig::has_convolution() const {
  return std::ranges::any_of(
      layers, [](const LayerConfig& l) { return l.mixer_as<ShortConvolutionConfig>() != nullptr; });
}

std::uint32_t ModelConfig::mamba_in_size_max() const {
  return MaxOf<Mamba2Config>(layers, [](const Mamba2Config& m) { return m.in_size(); });
}

std::uint32_t ModelConfig::mamba_inner_size_max() const {
  return MaxOf<Mamba2Config>(layers, [](const Mamba2Config& m) { return m.inner_size(); });
}

std::uint32_t ModelConfig::delta_in_size_max() const {
  return MaxOf<DeltaNetConfig>(
      layers, [](const DeltaNetConfig& d) { return d.channels() + d.value_size(); });
}

std::uint32_t ModelConfig::delta_value_size_max() const {
  return MaxOf<DeltaNetConfig>(layers, [](const DeltaNetConfig& d) { return d.value_size(); });
}

std::uint32_t ModelConfig::delta_value_head_count_max() const {
  return MaxOf<DeltaNetConfig>(layers, [](const DeltaNetConfig& d) { return d.value_head_count; });
}

std::uint32_t ModelConfig::dense_width_max() const {
  return MaxOver(layers, [](const LayerConfig& l) { return l.dense_width; });
}

std::uint32_t ModelConfig::rope_factor_count() const {
  return MaxOf<AttentionConfig>(layers, [](const AttentionConfig& a) {
    return a.rope.factors ? a.rope.dimension_count / 2 : 0;
  });
}

bool ModelConfig::has_branch_norms() const {
  return std::ranges::any_of(layers, [](const LayerConfig& l) { return l.branch_norms; });
}

}  // namespace edgemoe
