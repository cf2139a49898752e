// SPDX-License-Identifier: Apache-2.0
//
// Qwen3, dense: each head of q and k is normed.
#include "engine/model/arch/names.h"

namespace edgemoe::arch {
namespace {

Status Read(MetadataReader& metadata, ModelConfig& config) {
  EDGEMOE_RETURN_IF_ERROR(ReadSizes(metadata, config));
  LayerConfig layer;
  layer.attention().qk_norm = QkNorm::kHead;
  EDGEMOE_RETURN_IF_ERROR(ReadAttention(metadata, config, layer.attention()));
  EDGEMOE_RETURN_IF_ERROR(metadata.SameInEachLayer("feed_forward_length", 1, kWidthMax,
                                                   config.layer_count(), &layer.dense_width));
  IgnoreDescriptions(metadata);
  config.layers.assign(config.layers.size(), layer);
  return OkStatus();
}

}  // namespace

const Architecture kQwen3 = {.name = "qwen3", .read = Read, .layer_tensors = LayerTensors};

}  // namespace edgemoe::arch
