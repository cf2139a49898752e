// SPDX-License-Identifier: Apache-2.0
//
// OLMoE: q and k are normed over all heads of a row together, the weights of the chosen experts
// stay as the softmax over all experts gave them.
#include "engine/model/arch/names.h"

namespace edgemoe::arch {
namespace {

Status Read(MetadataReader& metadata, ModelConfig& config) {
  EDGEMOE_RETURN_IF_ERROR(ReadSizes(metadata, config));
  LayerConfig layer;
  layer.attention().qk_norm = QkNorm::kRow;
  EDGEMOE_RETURN_IF_ERROR(ReadAttention(metadata, config, layer.attention()));
  EDGEMOE_RETURN_IF_ERROR(ReadExpertCounts(metadata, "feed_forward_length", config));
  // What its relatives call the same; files that say both must mean one width.
  EDGEMOE_RETURN_IF_ERROR(metadata.OnlyCount("expert_feed_forward_length", config.expert_width,
                                             "as feed_forward_length"));
  layer.experts.emplace();
  IgnoreDescriptions(metadata);
  config.layers.assign(config.layers.size(), layer);
  return OkStatus();
}

}  // namespace

const Architecture kOlmoe = {.name = "olmoe", .read = Read, .layer_tensors = LayerTensors};

}  // namespace edgemoe::arch
