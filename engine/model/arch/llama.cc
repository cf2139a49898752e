// SPDX-License-Identifier: Apache-2.0
//
// Llama and what was made after it: dense, or with experts (Mixtral) whose weights sum to 1. Files
// have q and k laid out for pairs of neighbours; Llama 3's bring factors of RoPE's frequencies.
// MiniCPM is the same with scales.
#include <cmath>

#include "engine/model/arch/names.h"

namespace edgemoe::arch {
namespace {

Status ReadExperts(MetadataReader& metadata, LayerConfig& layer, ModelConfig& config) {
  EDGEMOE_RETURN_IF_ERROR(ReadExpertCounts(metadata, "feed_forward_length", config));
  layer.experts = ExpertsConfig{.normalise = true};
  return ReadGating(metadata, ExpertGating::kSoftmax, *layer.experts);
}

Status Read(MetadataReader& metadata, ModelConfig& config) {
  EDGEMOE_RETURN_IF_ERROR(ReadSizes(metadata, config));
  LayerConfig layer;
  layer.attention().rope.pairing = RopePairing::kNeighbours;
  layer.attention().rope.factors = true;
  EDGEMOE_RETURN_IF_ERROR(ReadAttention(metadata, config, layer.attention()));
  std::uint32_t expert_count = 0;
  EDGEMOE_RETURN_IF_ERROR(metadata.CountOr("expert_count", 0, kExpertCountMax, 0, &expert_count));
  if (expert_count > 0) {
    EDGEMOE_RETURN_IF_ERROR(ReadExperts(metadata, layer, config));
  } else {
    metadata.Ignore("expert_used_count");
    EDGEMOE_RETURN_IF_ERROR(metadata.SameInEachLayer("feed_forward_length", 1, kWidthMax,
                                                     config.layer_count(), &layer.dense_width));
  }
  IgnoreDescriptions(metadata);
  config.layers.assign(config.layers.size(), layer);
  return OkStatus();
}

// What old files do not say is what MiniCPM's first models had.
Status ReadMiniCpm(MetadataReader& metadata, ModelConfig& config) {
  EDGEMOE_RETURN_IF_ERROR(Read(metadata, config));
  constexpr float kScaleMax = 1e6F;
  EDGEMOE_RETURN_IF_ERROR(
      metadata.NumberOr("embedding_scale", 1e-6F, kScaleMax, 12.0F, &config.embedding_scale));
  EDGEMOE_RETURN_IF_ERROR(metadata.NumberOr(
      "residual_scale", 1e-6F, kScaleMax,
      1.4F / std::sqrt(static_cast<float>(config.layer_count())), &config.residual_scale));
  float divisor = 1;
  EDGEMOE_RETURN_IF_ERROR(metadata.NumberOr("logit_scale", 1e-6F, kScaleMax,
                                            static_cast<float>(config.width) / 256.0F, &divisor));
  config.logit_scale = 1.0F / divisor;
  return OkStatus();
}

std::vector<TensorRule> Tensors(const LayerConfig& layer) {
  std::vector<TensorRule> rules = LayerTensors(layer);
  rules.insert(rules.end(), {{TensorRole::kQueryBias, "attn_q.bias", true},
                             {TensorRole::kKeyBias, "attn_k.bias", true},
                             {TensorRole::kValueBias, "attn_v.bias", true},
                             {TensorRole::kAttentionOutputBias, "attn_output.bias", true}});
  return rules;
}

}  // namespace

const Architecture kLlama = {.name = "llama", .read = Read, .layer_tensors = Tensors};
const Architecture kMiniCpm = {.name = "minicpm", .read = ReadMiniCpm, .layer_tensors = Tensors};

}  // namespace edgemoe::arch
