// SPDX-License-Identifier: Apache-2.0
//
// gpt-oss: biases everywhere, attention sinks, every other layer sees a window only, the router's
// softmax is over the chosen experts, clamped SwiGLU.
#include <algorithm>

#include "engine/model/arch/names.h"

namespace edgemoe::arch {
namespace {

Status Read(MetadataReader& metadata, ModelConfig& config) {
  EDGEMOE_RETURN_IF_ERROR(ReadSizes(metadata, config));
  LayerConfig layer;
  layer.attention().biases = true;
  layer.attention().output_bias = true;
  layer.attention().sinks = true;
  EDGEMOE_RETURN_IF_ERROR(ReadAttention(metadata, config, layer.attention()));
  std::uint32_t window = 0;
  EDGEMOE_RETURN_IF_ERROR(
      metadata.Count("attention.sliding_window", 1, kContextLengthMax, &window));
  EDGEMOE_RETURN_IF_ERROR(ReadExpertCounts(metadata, "expert_feed_forward_length", config));
  layer.experts =
      ExpertsConfig{.gating = ExpertGating::kSoftmaxOfChosen, .router_bias = true, .biases = true};
  layer.activation = Activation::kClampedSwiglu;
  IgnoreDescriptions(metadata);
  for (std::uint32_t i = 0; i < config.layer_count(); ++i) {
    config.layers[i] = layer;
    config.layers[i].attention().window = i % 2 == 0 ? window : 0;
  }
  return OkStatus();
}

std::vector<TensorRule> Tensors(const LayerConfig& layer) {
  std::vector<TensorRule> rules = LayerTensors(layer);
  std::ranges::find(rules, TensorRole::kFeedForwardNorm, &TensorRule::role)->name =
      "post_attention_norm.weight";
  return rules;
}

}  // namespace

const Architecture kGptOss = {.name = "gpt-oss", .read = Read, .layer_tensors = Tensors};

}  // namespace edgemoe::arch
