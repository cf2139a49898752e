// SPDX-License-Identifier: Apache-2.0
//
// Qwen3 MoE: each head of q and k is normed, the weights of the chosen experts sum to 1.
#include "engine/model/arch/names.h"

namespace edgemoe::arch {
namespace {

Status Read(MetadataReader& metadata, ModelConfig& config) {
  EDGEMOE_RETURN_IF_ERROR(ReadSizes(metadata, config));
  LayerConfig layer;
  layer.attention().qk_norm = QkNorm::kHead;
  EDGEMOE_RETURN_IF_ERROR(ReadAttention(metadata, config, layer.attention()));
  EDGEMOE_RETURN_IF_ERROR(ReadExpertCounts(metadata, "expert_feed_forward_length", config));
  ExpertsConfig experts;
  experts.normalise = true;
  EDGEMOE_RETURN_IF_ERROR(ReadGating(metadata, ExpertGating::kSoftmax, experts));
  config.layers.assign(config.layers.size(), layer);
  EDGEMOE_RETURN_IF_ERROR(ReadLeadingDense(metadata, experts, config));
  IgnoreDescriptions(metadata);
  return OkStatus();
}

}  // namespace

const Architecture kQwen3Moe = {.name = "qwen3moe", .read = Read, .layer_tensors = LayerTensors};

}  // namespace edgemoe::arch
