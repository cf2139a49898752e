// SPDX-License-Identifier: Apache-2.0
#include "engine/model/state/state_shape.h"

#include <algorithm>

namespace edgemoe {
namespace {

std::uint32_t GroupOf(std::uint32_t window, std::vector<StateGroup>& groups) {
  const auto found = std::ranges::find(groups, window, &StateGroup::window);
  const auto index = static_cast<std::uint32_t>(found - groups.begin());
  if (found == groups.end()) groups.push_back({.window = window, .block_elements = 0});
  return index;
}

}  // namespace

StateShape StateShapeOf(const ModelConfig& config) {
  StateShape shape;
  for (const LayerConfig& layer : config.layers) {
    LayerState state;
    std::uint32_t window = 0;
    if (const auto* const attention = layer.mixer_as<AttentionConfig>()) {
      window = attention->window;
      state.key_size = attention->kv_size();
      state.value_size = attention->kv_size();
    }
    // One key for all heads, of which the latent is the value, too.
    if (const auto* const latent = layer.mixer_as<LatentAttentionConfig>())
      state.key_size = latent->key_size();
    if (state.key_size > 0) {
      state.group = GroupOf(window, shape.groups);
      StateGroup& group = shape.groups[state.group];
      state.keys = group.block_elements;
      state.values = state.keys + std::uint64_t{kStateBlockTokens} * state.key_size;
      group.block_elements = state.values + std::uint64_t{kStateBlockTokens} * state.value_size;
    }
    if (const auto* const convolution = layer.mixer_as<ShortConvolutionConfig>())
      state.recurrent_size = std::uint64_t{convolution->taps - 1} * config.width;
    if (const auto* const mamba = layer.mixer_as<Mamba2Config>())
      state.recurrent_size = std::uint64_t{mamba->taps - 1} * mamba->channels() +
                             std::uint64_t{mamba->inner_size()} * mamba->state_size;
    if (const auto* const delta = layer.mixer_as<DeltaNetConfig>())
      state.recurrent_size = std::uint64_t{delta->taps - 1} * delta->channels() +
                             std::uint64_t{delta->value_size()} * delta->head_size;
    state.recurrent = shape.recurrent_floats;
    shape.recurrent_floats += state.recurrent_size;
    shape.layers.push_back(state);
  }
  return shape;
}

}  // namespace edgemoe
