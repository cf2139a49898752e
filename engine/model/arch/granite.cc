// SPDX-License-Identifier: Apache-2.0
//
// Granite, Granite MoE and Granite hybrid: the embedding, what each layer adds, the scores of
// attention and the logits have scales of their own; the weights of the chosen experts sum to 1,
// and an expert that all rows use may stand beside them. Most layers of a hybrid are Mamba-2.
#include <algorithm>

#include "engine/base/accepted.h"
#include "engine/model/arch/names.h"

namespace edgemoe::arch {
namespace {

constexpr float kScaleMin = 1e-6F;
constexpr float kScaleMax = 1e6F;

// 1 where the key is missing or 0, which is how files say that nothing is scaled.
Status ReadScale(MetadataReader& metadata, std::string_view name, float* out) {
  EDGEMOE_RETURN_IF_ERROR(metadata.NumberOr(name, 0.0F, kScaleMax, 1.0F, out));
  if (*out == 0.0F) *out = 1;
  if (*out >= kScaleMin) return OkStatus();
  return InvalidField(metadata.KeyOf(name), ShowValue(static_cast<double>(*out)),
                      "0 and [" + ShowValue(static_cast<double>(kScaleMin)) + ", " +
                          ShowValue(static_cast<double>(kScaleMax)) + "]");
}

Status ReadScales(MetadataReader& metadata, ModelConfig& config) {
  EDGEMOE_RETURN_IF_ERROR(ReadScale(metadata, "embedding_scale", &config.embedding_scale));
  EDGEMOE_RETURN_IF_ERROR(ReadScale(metadata, "residual_scale", &config.residual_scale));
  float divisor = 1;
  EDGEMOE_RETURN_IF_ERROR(ReadScale(metadata, "logit_scale", &divisor));
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
  EDGEMOE_RETURN_IF_ERROR(metadata.OnlyCount("expert_count", 0, "for this model is dense"));
  EDGEMOE_RETURN_IF_ERROR(
      metadata.OnlyCount("expert_used_count", 0, "for expert_count says no experts"));
  std::uint32_t width = 0;
  EDGEMOE_RETURN_IF_ERROR(
      metadata.SameInEachLayer("feed_forward_length", 1, kWidthMax, config.layer_count(), &width));
  for (LayerConfig& layer : config.layers) layer.dense_width = width;
  return OkStatus();
}

Status ReadMamba(MetadataReader& metadata, Mamba2Config& mamba) {
  EDGEMOE_RETURN_IF_ERROR(metadata.Count("ssm.conv_kernel", 2, kConvolutionWidthMax, &mamba.taps));
  EDGEMOE_RETURN_IF_ERROR(metadata.Count("ssm.state_size", 1, kStateSizeMax, &mamba.state_size));
  EDGEMOE_RETURN_IF_ERROR(
      metadata.Count("ssm.time_step_rank", 1, kHeadCountMax, &mamba.head_count));
  EDGEMOE_RETURN_IF_ERROR(
      metadata.Count("ssm.group_count", 1, mamba.head_count, &mamba.group_count));
  if (mamba.head_count % mamba.group_count != 0)
    return InvalidField(metadata.KeyOf("ssm.group_count"), ShowValue(mamba.group_count),
                        "divisors of the head count " + ShowValue(mamba.head_count));
  std::uint32_t inner_size = 0;
  EDGEMOE_RETURN_IF_ERROR(
      metadata.Count("ssm.inner_size", mamba.head_count, kWidthMax, &inner_size));
  if (inner_size % mamba.head_count != 0)
    return InvalidField(metadata.KeyOf("ssm.inner_size"), ShowValue(inner_size),
                        "multiples of the head count " + ShowValue(mamba.head_count));
  mamba.head_size = inner_size / mamba.head_count;
  return OkStatus();
}

// Which layers are Mamba-2 is said by their number of key and value heads: 0.
Status ReadMixers(MetadataReader& metadata, ModelConfig& config) {
  std::vector<std::uint32_t> kv_head_counts;
  EDGEMOE_RETURN_IF_ERROR(ReadKvHeadCounts(metadata, config, &kv_head_counts));
  Mamba2Config mamba;
  EDGEMOE_RETURN_IF_ERROR(ReadMamba(metadata, mamba));
  for (std::uint32_t i = 0; i < config.layer_count(); ++i) {
    if (kv_head_counts[i] == 0) {
      config.layers[i].mixer = mamba;
      continue;
    }
    AttentionConfig attention;
    attention.kv_head_count = kv_head_counts[i];
    EDGEMOE_RETURN_IF_ERROR(ReadScaledAttention(metadata, config, attention));
    config.layers[i].mixer = attention;
  }
  return OkStatus();
}

Status ReadHybrid(MetadataReader& metadata, ModelConfig& config) {
  EDGEMOE_RETURN_IF_ERROR(ReadSizes(metadata, config));
  EDGEMOE_RETURN_IF_ERROR(ReadScales(metadata, config));
  EDGEMOE_RETURN_IF_ERROR(ReadMixers(metadata, config));
  IgnoreDescriptions(metadata);
  std::uint32_t expert_count = 0;
  EDGEMOE_RETURN_IF_ERROR(metadata.CountOr("expert_count", 0, kExpertCountMax, 0, &expert_count));
  return expert_count == 0 ? ReadDenseFeedForward(metadata, config) : ReadExperts(metadata, config);
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
const Architecture kGraniteHybrid = {
    .name = "granitehybrid", .read = ReadHybrid, .layer_tensors = LayerTensors};

}  // namespace edgemoe::arch
