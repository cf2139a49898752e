// SPDX-License-Identifier: Apache-2.0
//
// Qwen3-Next and Qwen3.5, with experts or dense: most layers are gated delta nets, each so many-th
// is attention with gated outputs; each head of q and k is normed. The chosen weights sum to 1, and
// beside the experts stands a shared one, whose output is gated. Blocks for predicting several
// tokens may follow.
#include "engine/base/accepted.h"
#include "engine/model/arch/names.h"

namespace edgemoe::arch {
namespace {

Status ReadDeltaNet(MetadataReader& metadata, DeltaNetConfig& delta) {
  EDGEMOE_RETURN_IF_ERROR(metadata.Count("ssm.state_size", 1, kHeadSizeMax, &delta.head_size));
  EDGEMOE_RETURN_IF_ERROR(
      metadata.Count("ssm.group_count", 1, kHeadCountMax, &delta.key_head_count));
  EDGEMOE_RETURN_IF_ERROR(
      metadata.Count("ssm.time_step_rank", 1, kHeadCountMax, &delta.value_head_count));
  if (delta.value_head_count % delta.key_head_count != 0)
    return InvalidField(metadata.KeyOf("ssm.time_step_rank"), ShowValue(delta.value_head_count),
                        "multiples of the number of key heads " + ShowValue(delta.key_head_count));
  EDGEMOE_RETURN_IF_ERROR(metadata.OnlyCount("ssm.inner_size", delta.value_size(),
                                             "ssm.time_step_rank times ssm.state_size"));
  return metadata.Count("ssm.conv_kernel", 2, kConvolutionWidthMax, &delta.taps);
}

// Positions are the same in each dimension where there is text alone. Pairs of a section that
// is not for time, height or width would not be turned.
Status CheckSections(MetadataReader& metadata, const RopeConfig& rope) {
  constexpr std::string_view kSections = "rope.dimension_sections";
  EDGEMOE_ASSIGN_OR_RETURN(const std::vector<std::int32_t> sections, metadata.Numbers(kSections));
  std::int64_t total = 0;
  std::string shown;
  bool valid = sections.size() == 3 || sections.size() == 4;
  for (const std::int32_t section : sections) {
    shown += (shown.empty() ? "" : ", ") + ShowValue(section);
    valid = valid && section >= 0;
    total += section;
  }
  const std::uint32_t pairs = rope.dimension_count / 2;
  for (std::uint32_t i = 0; valid && total > 0 && i < pairs; ++i) {
    const std::int64_t place = i % total;
    valid = place < 3 * std::int64_t{sections[static_cast<std::size_t>(place % 3)]};
  }
  if (valid && total > 0) return OkStatus();
  return InvalidField(
      metadata.KeyOf(kSections), "[" + shown + "]",
      "three numbers whose sections, a pair each in turn, hold all " + ShowValue(pairs) + " pairs");
}

// Which layers are attention.
Status ReadKinds(MetadataReader& metadata, std::uint32_t layer_count,
                 std::vector<bool>* attention) {
  constexpr std::string_view kRecurrent = "attention.recurrent_layers";
  std::uint32_t interval = 0;
  EDGEMOE_RETURN_IF_ERROR(
      metadata.CountOr("full_attention_interval", 1, kLayerCountMax, 4, &interval));
  attention->clear();
  for (std::uint32_t i = 0; i < layer_count; ++i) attention->push_back((i + 1) % interval == 0);
  if (!metadata.Has(kRecurrent)) return OkStatus();
  std::vector<bool> recurrent;
  EDGEMOE_RETURN_IF_ERROR(metadata.Flags(kRecurrent, layer_count, &recurrent));
  recurrent.flip();
  *attention = recurrent;
  return OkStatus();
}

// All but the feed-forwards; `attention` is that of the layers that have it.
Status ReadMixers(MetadataReader& metadata, DeltaNetConfig delta, ModelConfig& config,
                  AttentionConfig& attention) {
  EDGEMOE_RETURN_IF_ERROR(ReadSizes(metadata, config));
  attention.qk_norm = QkNorm::kHead;
  attention.output_gate = true;
  EDGEMOE_RETURN_IF_ERROR(ReadAttention(metadata, config, attention));
  EDGEMOE_RETURN_IF_ERROR(ReadDeltaNet(metadata, delta));
  std::vector<bool> kinds;
  EDGEMOE_RETURN_IF_ERROR(ReadKinds(metadata, config.layer_count(), &kinds));
  for (std::uint32_t i = 0; i < config.layer_count(); ++i) {
    if (kinds[i]) {
      config.layers[i].mixer = attention;
    } else {
      config.layers[i].mixer = delta;
    }
  }
  return OkStatus();
}

Status ReadExperts(MetadataReader& metadata, ModelConfig& config) {
  EDGEMOE_RETURN_IF_ERROR(ReadExpertCounts(metadata, "expert_feed_forward_length", config));
  ExpertsConfig experts;
  experts.normalise = true;
  EDGEMOE_RETURN_IF_ERROR(ReadGating(metadata, ExpertGating::kSoftmax, experts));
  constexpr std::string_view kShared = "expert_shared_feed_forward_length";
  std::uint32_t shared = 0;
  EDGEMOE_RETURN_IF_ERROR(
      metadata.SameInEachLayer(metadata.Has(kShared) ? kShared : "feed_forward_length", 1,
                               kWidthMax, config.layer_count(), &shared));
  for (LayerConfig& layer : config.layers) {
    layer.experts = experts;
    layer.dense_width = shared;
    layer.dense_gate = true;
  }
  IgnoreDescriptions(metadata);
  return DropPredictionLayers(metadata, config);
}

Status ReadNext(MetadataReader& metadata, ModelConfig& config) {
  AttentionConfig attention;
  EDGEMOE_RETURN_IF_ERROR(ReadMixers(
      metadata, {.key_sharing = KeySharing::kBlocks, .joined_rates = true}, config, attention));
  return ReadExperts(metadata, config);
}

Status ReadQwen35Mixers(MetadataReader& metadata, ModelConfig& config) {
  AttentionConfig attention;
  EDGEMOE_RETURN_IF_ERROR(
      ReadMixers(metadata, {.key_sharing = KeySharing::kTiles}, config, attention));
  return CheckSections(metadata, attention.rope);
}

Status ReadQwen35Moe(MetadataReader& metadata, ModelConfig& config) {
  EDGEMOE_RETURN_IF_ERROR(ReadQwen35Mixers(metadata, config));
  return ReadExperts(metadata, config);
}

Status ReadQwen35(MetadataReader& metadata, ModelConfig& config) {
  EDGEMOE_RETURN_IF_ERROR(ReadQwen35Mixers(metadata, config));
  std::uint32_t width = 0;
  EDGEMOE_RETURN_IF_ERROR(
      metadata.SameInEachLayer("feed_forward_length", 1, kWidthMax, config.layer_count(), &width));
  for (LayerConfig& layer : config.layers) layer.dense_width = width;
  IgnoreDescriptions(metadata);
  return DropPredictionLayers(metadata, config);
}

std::vector<TensorRule> Tensors(const LayerConfig& layer) {
  std::vector<TensorRule> rules = LayerTensors(layer);
  for (TensorRule& rule : rules)
    if (rule.role == TensorRole::kFeedForwardNorm) rule.name = "post_attention_norm.weight";
  return rules;
}

}  // namespace

const Architecture kQwen35 = {.name = "qwen35", .read = ReadQwen35, .layer_tensors = Tensors};
const Architecture kQwen35Moe = {
    .name = "qwen35moe", .read = ReadQwen35Moe, .layer_tensors = Tensors};
const Architecture kQwen3Next = {.name = "qwen3next", .read = ReadNext, .layer_tensors = Tensors};

}  // namespace edgemoe::arch
