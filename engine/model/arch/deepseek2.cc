// SPDX-License-Identifier: Apache-2.0
//
// DeepSeek-V2, V3 and what has their shape (GLM-4.7-Flash): latent attention, leading dense layers,
// shared experts beside the others, routers with softmax or sigmoids, groups and a bias.
#include <algorithm>

#include "engine/base/accepted.h"
#include "engine/model/arch/names.h"

namespace edgemoe::arch {
namespace {

// Files since 2025 have the sizes of a head under the names that end in _mla, and under the plain
// ones those of the latents, which all heads share; older ones have one matrix for keys and values,
// and the sizes of a head under the plain names.
Status ReadHeadSizes(MetadataReader& metadata, LatentAttentionConfig& attention,
                     std::uint32_t* key_size) {
  attention.joined_up =
      !metadata.Has("attention.key_length_mla") && !metadata.Has("attention.value_length_mla");
  if (attention.joined_up) {
    EDGEMOE_RETURN_IF_ERROR(metadata.Count("attention.key_length", 3, kHeadSizeMax, key_size));
    EDGEMOE_RETURN_IF_ERROR(
        metadata.Count("attention.value_length", 1, kHeadSizeMax, &attention.value_size));
    return metadata.OnlyCount("attention.head_count_kv", attention.head_count,
                              "as attention.head_count");
  }
  EDGEMOE_RETURN_IF_ERROR(metadata.Count("attention.key_length_mla", 3, kHeadSizeMax, key_size));
  EDGEMOE_RETURN_IF_ERROR(
      metadata.Count("attention.value_length_mla", 1, kHeadSizeMax, &attention.value_size));
  return metadata.OnlyCount("attention.head_count_kv", 1, "for all heads share one latent");
}

// What the plain names say of the latents.
Status CheckLatentSizes(MetadataReader& metadata, const LatentAttentionConfig& attention) {
  if (attention.joined_up) return OkStatus();
  EDGEMOE_RETURN_IF_ERROR(
      metadata.OnlyCount("attention.key_length", attention.key_size(),
                         "attention.kv_lora_rank and rope.dimension_count together"));
  return metadata.OnlyCount("attention.value_length", attention.latent_size,
                            "as attention.kv_lora_rank");
}

Status ReadLatentAttention(MetadataReader& metadata, const ModelConfig& config,
                           LatentAttentionConfig& attention) {
  EDGEMOE_RETURN_IF_ERROR(metadata.OnlyTrue("attention.causal"));
  EDGEMOE_RETURN_IF_ERROR(metadata.SameInEachLayer("attention.head_count", 1, kHeadCountMax,
                                                   config.layer_count(), &attention.head_count));
  EDGEMOE_RETURN_IF_ERROR(metadata.CountOr("attention.q_lora_rank", 0, kLatentSizeMax, 0,
                                           &attention.query_latent_size));
  EDGEMOE_RETURN_IF_ERROR(
      metadata.Count("attention.kv_lora_rank", 1, kLatentSizeMax, &attention.latent_size));
  std::uint32_t key_size = 0;
  EDGEMOE_RETURN_IF_ERROR(ReadHeadSizes(metadata, attention, &key_size));
  attention.rope.pairing = RopePairing::kNeighbours;
  EDGEMOE_RETURN_IF_ERROR(ReadRope(metadata, config, key_size - 1, attention.rope));
  attention.unrotated_size = key_size - attention.rope.dimension_count;
  EDGEMOE_RETURN_IF_ERROR(CheckLatentSizes(metadata, attention));
  EDGEMOE_RETURN_IF_ERROR(metadata.NumberOr("rope.scaling.yarn_log_multiplier", 0.0F, 100.0F, 0.0F,
                                            &attention.log_multiplier));
  if (attention.log_multiplier != 0.0F) attention.rope.growth = 0;
  return OkStatus();
}

// Files of GLM-4.7-Flash may lack the key; llama.cpp knows them by their layers and vocabulary.
std::uint32_t GatingWithoutKey(const MetadataReader& metadata, std::uint32_t layer_count) {
  constexpr std::size_t kGlmVocabularySize = 154880;
  const auto tokens = metadata.file().GetStrings("tokenizer.ggml.tokens");
  const bool glm =
      (layer_count == 47 || layer_count == 48) && tokens && (*tokens)->size() == kGlmVocabularySize;
  return glm ? 2 : 1;
}

Status ReadRouting(MetadataReader& metadata, const ModelConfig& config, ExpertsConfig& experts) {
  std::uint32_t gating = 0;
  EDGEMOE_RETURN_IF_ERROR(metadata.CountOr("expert_gating_func", 0, 2, 0, &gating));
  if (gating == 0) gating = GatingWithoutKey(metadata, config.layer_count());
  experts.gating = gating == 2 ? ExpertGating::kSigmoid : ExpertGating::kSoftmax;
  experts.selection_bias = true;
  EDGEMOE_RETURN_IF_ERROR(metadata.BoolOr("expert_weights_norm", false, &experts.normalise));
  EDGEMOE_RETURN_IF_ERROR(ReadExpertWeightsScale(metadata, experts));
  return ReadExpertGroups(metadata, config, experts);
}

// Those that are asked for every token stand side by side as one dense feed-forward.
Status ReadSharedExperts(MetadataReader& metadata, ModelConfig& config) {
  std::uint32_t shared_count = 0;
  EDGEMOE_RETURN_IF_ERROR(metadata.CountOr("expert_shared_count", 0,
                                           kWidthMax / config.expert_width, 0, &shared_count));
  for (LayerConfig& layer : config.layers)
    if (layer.experts) layer.dense_width = shared_count * config.expert_width;
  return OkStatus();
}

Status Read(MetadataReader& metadata, ModelConfig& config) {
  EDGEMOE_RETURN_IF_ERROR(ReadSizes(metadata, config));
  LatentAttentionConfig attention;
  EDGEMOE_RETURN_IF_ERROR(ReadLatentAttention(metadata, config, attention));
  for (LayerConfig& layer : config.layers) layer.mixer = attention;
  EDGEMOE_RETURN_IF_ERROR(ReadExpertSizes(metadata, "expert_feed_forward_length", config));
  ExpertsConfig experts;
  EDGEMOE_RETURN_IF_ERROR(ReadRouting(metadata, config, experts));
  EDGEMOE_RETURN_IF_ERROR(ReadLeadingDense(metadata, experts, config));
  EDGEMOE_RETURN_IF_ERROR(ReadSharedExperts(metadata, config));
  EDGEMOE_RETURN_IF_ERROR(DropPredictionLayers(metadata, config));
  IgnoreDescriptions(metadata);
  return OkStatus();
}

std::vector<TensorRule> Tensors(const LayerConfig& layer) {
  std::vector<TensorRule> rules = LayerTensors(layer);
  const auto bias = std::ranges::find(rules, TensorRole::kSelectionBias, &TensorRule::role);
  if (bias != rules.end()) bias->optional = true;
  return rules;
}

}  // namespace

const Architecture kDeepSeek2 = {.name = "deepseek2", .read = Read, .layer_tensors = Tensors};

}  // namespace edgemoe::arch
