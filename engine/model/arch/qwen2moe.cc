// SPDX-License-Identifier: Apache-2.0
//
// Qwen2 MoE (Qwen1.5-MoE): biases of q, k and v; beside the experts a shared one whose output a
// sigmoid gates; the weights of the chosen stay as the softmax over all gave them.
#include "engine/model/arch/names.h"

namespace edgemoe::arch {
namespace {

Status Read(MetadataReader& metadata, ModelConfig& config) {
  EDGEMOE_RETURN_IF_ERROR(ReadSizes(metadata, config));
  LayerConfig layer;
  layer.attention().biases = true;
  EDGEMOE_RETURN_IF_ERROR(ReadAttention(metadata, config, layer.attention()));
  EDGEMOE_RETURN_IF_ERROR(ReadExpertCounts(metadata, "expert_feed_forward_length", config));
  EDGEMOE_RETURN_IF_ERROR(
      metadata.Count("expert_shared_feed_forward_length", 1, kWidthMax, &layer.dense_width));
  layer.dense_gate = true;
  layer.experts.emplace();
  EDGEMOE_RETURN_IF_ERROR(ReadGating(metadata, ExpertGating::kSoftmax, *layer.experts));
  IgnoreDescriptions(metadata);
  config.layers.assign(config.layers.size(), layer);
  return OkStatus();
}

}  // namespace

const Architecture kQwen2Moe = {.name = "qwen2moe", .read = Read, .layer_tensors = LayerTensors};

}  // namespace edgemoe::arch
