// SPDX-License-Identifier: Apache-2.0
//
// Qwen3 MoE: each head of q and k is normed, the weights of the chosen experts sum to 1.
#include "engine/model/arch/names.h"

namespace edgemoe::arch {
namespace {

Status Read(MetadataReader& metadata, ModelConfig& config) {
  EDGEMOE_RETURN_IF_ERROR(ReadSizes(metadata, config));
  LayerConfig layer;
  layer.attention.qk_norm = QkNorm::kHead;
  EDGEMOE_RETURN_IF_ERROR(ReadAttention(metadata, config, layer.attention));
  EDGEMOE_RETURN_IF_ERROR(ReadExpertCounts(metadata, "expert_feed_forward_length", config));
  ExpertsConfig experts;
  experts.normalise = true;
  // 0 is how some files say that nothing is scaled.
  EDGEMOE_RETURN_IF_ERROR(
      metadata.NumberOr("expert_weights_scale", 0.0F, 1e6F, 1.0F, &experts.weights_scale));
  if (experts.weights_scale == 0.0F) experts.weights_scale = 1;
  std::uint32_t softmax = 1;
  EDGEMOE_RETURN_IF_ERROR(metadata.CountOr("expert_gating_func", 1, 1, 1, &softmax));

  std::uint32_t dense_count = 0;
  EDGEMOE_RETURN_IF_ERROR(
      metadata.CountOr("leading_dense_block_count", 0, config.layer_count() - 1, 0, &dense_count));
  std::uint32_t dense_width = 0;
  if (dense_count > 0)
    EDGEMOE_RETURN_IF_ERROR(metadata.SameInEachLayer("feed_forward_length", 1, kWidthMax,
                                                     config.layer_count(), &dense_width));
  IgnoreDescriptions(metadata);
  for (std::uint32_t i = 0; i < config.layer_count(); ++i) {
    config.layers[i] = layer;
    if (i < dense_count) {
      config.layers[i].dense_width = dense_width;
    } else {
      config.layers[i].experts = experts;
    }
  }
  return OkStatus();
}

}  // namespace

const Architecture kQwen3Moe = {.name = "qwen3moe", .read = Read, .layer_tensors = LayerTensors};

}  // namespace edgemoe::arch
