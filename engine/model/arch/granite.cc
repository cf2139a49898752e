// SPDX-License-Identifier: Apache-2.0
//
// Granite and Granite MoE: the embedding, what each layer adds, the scores of attention and the
// logits have scales of their own; the weights of the chosen experts sum to 1, and an expert that
// all rows use may stand beside them.
#include "engine/model/arch/names.h"

namespace edgemoe::arch {
namespace {

constexpr float kScaleMin = 1e-6F;
constexpr float kScaleMax = 1e6F;

// 1 where the key is missing or 0, which is how files say that nothing is scaled.
Status ReadScale(MetadataReader& metadata, std::string_view name, float* out) {
  EDGEMOE_RETURN_IF_ERROR(metadata.NumberOr(name, 0.0F, kScaleMax, 1.0F, out));
  if (*out == 0.0F) *out = 1;
  return OkStatus();
}

Status ReadScales(MetadataReader& metadata, ModelConfig& config) {
  EDGEMOE_RETURN_IF_ERROR(ReadScale(metadata, "embedding_scale", &config.embedding_scale));
  EDGEMOE_RETURN_IF_ERROR(ReadScale(metadata, "residual_scale", &config.residual_scale));
  float divisor = 1;
  EDGEMOE_RETURN_IF_ERROR(metadata.Number("logit_scale", kScaleMin, kScaleMax, &divisor));
  config.logit_scale = 1 / divisor;
  return OkStatus();
}

// Files say by rope.scaling.finetuned whether positions turn heads at all.
Status ReadScaledAttention(MetadataReader& metadata, const ModelConfig& config,
                           AttentionConfig& attention) {
  EDGEMOE_RETURN_IF_ERROR(ReadAttention(metadata, config, attention));
  EDGEMOE_RETURN_IF_ERROR(
      metadata.NumberOr("attention.scale", 0.0F, kScaleMax, 0.0F, &attention.score_scale));
  attention.rope.pairing = RopePairing::kNeighbours;
  bool rotates = true;
  EDGEMOE_RETURN_IF_ERROR(metadata.BoolOr("rope.scaling.finetuned", true, &rotates));
  if (!rotates) attention.rope.dimension_count = 0;
  return OkStatus();
}

Status ReadExperts(MetadataReader& metadata, ModelConfig& config) {
  EDGEMOE_RETURN_IF_ERROR(ReadExpertCounts(metadata, "feed_forward_length", config));
  std::uint32_t shared_width = 0;
  EDGEMOE_RETURN_IF_ERROR(
      metadata.CountOr("expert_shared_feed_forward_length", 0, kWidthMax, 0, &shared_width));
  for (LayerConfig& layer : config.layers) {
    layer.experts = ExpertsConfig{.normalise = true};
    layer.dense_width = shared_width;
  }
  return OkStatus();
}

// A file of a dense model may say that it has no experts, and then a width of what it would share.
Status ReadDenseFeedForward(MetadataReader& metadata, ModelConfig& config) {
  std::uint32_t none = 0;
  EDGEMOE_RETURN_IF_ERROR(metadata.CountOr("expert_count", 0, 0, 0, &none));
  EDGEMOE_RETURN_IF_ERROR(metadata.CountOr("expert_used_count", 0, 0, 0, &none));
  std::uint32_t width = 0;
  EDGEMOE_RETURN_IF_ERROR(
      metadata.SameInEachLayer("feed_forward_length", 1, kWidthMax, config.layer_count(), &width));
  for (LayerConfig& layer : config.layers) layer.dense_width = width;
  return OkStatus();
}

Status ReadLikeLayers(MetadataReader& metadata, ModelConfig& config) {
  EDGEMOE_RETURN_IF_ERROR(ReadSizes(metadata, config));
  EDGEMOE_RETURN_IF_ERROR(ReadScales(metadata, config));
  AttentionConfig attention;
  EDGEMOE_RETURN_IF_ERROR(ReadScaledAttention(metadata, config, attention));
  for (LayerConfig& layer : config.layers) layer.mixer = attention;
  IgnoreDescriptions(metadata);
  return OkStatus();
}

Status ReadDense(MetadataReader& metadata, ModelConfig& config) {
  EDGEMOE_RETURN_IF_ERROR(ReadLikeLayers(metadata, config));
  return ReadDenseFeedForward(metadata, config);
}

Status ReadMoe(MetadataReader& metadata, ModelConfig& config) {
  EDGEMOE_RETURN_IF_ERROR(ReadLikeLayers(metadata, config));
  return ReadExperts(metadata, config);
}

}  // namespace

const Architecture kGranite = {.name = "granite", .read = ReadDense, .layer_tensors = LayerTensors};
const Architecture kGraniteMoe = {
    .name = "granitemoe", .read = ReadMoe, .layer_tensors = LayerTensors};

}  // namespace edgemoe::arch
