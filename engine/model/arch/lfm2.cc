// SPDX-License-Identifier: Apache-2.0
//
// LFM2 and LFM2 MoE: most layers are gated short convolutions, the others attention (those that
// have keys and values); each head of q and k is normed. With experts: the first layers are dense,
// routers choose by sigmoids and a bias, and the chosen weights sum to 1.
#include "engine/model/arch/names.h"

namespace edgemoe::arch {
namespace {

// Which layers convolve is said by their number of key and value heads: 0.
Status ReadMixers(MetadataReader& metadata, ModelConfig& config) {
  std::vector<std::uint32_t> kv_head_counts;
  EDGEMOE_RETURN_IF_ERROR(ReadKvHeadCounts(metadata, config, &kv_head_counts));
  ShortConvolutionConfig convolution;
  EDGEMOE_RETURN_IF_ERROR(
      metadata.Count("shortconv.l_cache", 2, kConvolutionWidthMax, &convolution.taps));
  for (std::uint32_t i = 0; i < config.layer_count(); ++i) {
    if (kv_head_counts[i] == 0) {
      config.layers[i].mixer = convolution;
      continue;
    }
    AttentionConfig attention;
    attention.kv_head_count = kv_head_counts[i];
    attention.qk_norm = QkNorm::kHead;
    EDGEMOE_RETURN_IF_ERROR(ReadAttention(metadata, config, attention));
    config.layers[i].mixer = attention;
  }
  return OkStatus();
}

Status ReadDense(MetadataReader& metadata, ModelConfig& config) {
  EDGEMOE_RETURN_IF_ERROR(ReadSizes(metadata, config));
  EDGEMOE_RETURN_IF_ERROR(ReadMixers(metadata, config));
  std::uint32_t width = 0;
  EDGEMOE_RETURN_IF_ERROR(
      metadata.SameInEachLayer("feed_forward_length", 1, kWidthMax, config.layer_count(), &width));
  IgnoreDescriptions(metadata);
  for (LayerConfig& layer : config.layers) layer.dense_width = width;
  return OkStatus();
}

Status ReadMoe(MetadataReader& metadata, ModelConfig& config) {
  EDGEMOE_RETURN_IF_ERROR(ReadSizes(metadata, config));
  EDGEMOE_RETURN_IF_ERROR(ReadMixers(metadata, config));
  EDGEMOE_RETURN_IF_ERROR(ReadExpertCounts(metadata, "expert_feed_forward_length", config));
  ExpertsConfig experts;
  experts.selection_bias = true;
  experts.normalise = true;
  EDGEMOE_RETURN_IF_ERROR(ReadGating(metadata, ExpertGating::kSigmoid, experts));
  EDGEMOE_RETURN_IF_ERROR(ReadLeadingDense(metadata, experts, config));
  IgnoreDescriptions(metadata);
  return OkStatus();
}

}  // namespace

const Architecture kLfm2 = {.name = "lfm2",
                            .read = ReadDense,
                            .layer_tensors = LayerTensors,
                            .output_norm = "token_embd_norm.weight"};
const Architecture kLfm2Moe = {.name = "lfm2moe",
                               .read = ReadMoe,
                               .layer_tensors = LayerTensors,
                               .output_norm = "token_embd_norm.weight"};

}  // namespace edgemoe::arch
