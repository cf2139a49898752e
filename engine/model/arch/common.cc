// SPDX-License-Identifier: Apache-2.0
#include "engine/model/arch/common.h"

#include <algorithm>
#include <array>
#include <utility>

#include "engine/base/accepted.h"

namespace edgemoe::arch {
namespace {

constexpr float kRopeBaseMax = 1e12F;
constexpr float kRopeFactorMax = 1e6F;

Status ReadYarn(MetadataReader& metadata, RopeConfig& rope) {
  EDGEMOE_RETURN_IF_ERROR(
      metadata.NumberOr("rope.scaling.yarn_beta_fast", 0.0F, 1e6F, 32.0F, &rope.beta_fast));
  EDGEMOE_RETURN_IF_ERROR(
      metadata.NumberOr("rope.scaling.yarn_beta_slow", 0.0F, 1e6F, 1.0F, &rope.beta_slow));
  return metadata.NumberOr("rope.scaling.yarn_ext_factor", 0.0F, 1.0F, 1.0F, &rope.extrapolation);
}

// llama.cpp would mix frequencies as YaRN does, whatever the type of scaling is; here only YaRN
// mixes them.
Status RefuseExtrapolation(MetadataReader& metadata) {
  constexpr std::string_view kName = "rope.scaling.yarn_ext_factor";
  float found = 0;
  EDGEMOE_RETURN_IF_ERROR(metadata.NumberOr(kName, 0.0F, 1.0F, 0.0F, &found));
  if (found == 0.0F) return OkStatus();
  return InvalidField(metadata.KeyOf(kName), ShowValue(static_cast<double>(found)),
                      "0, or another rope.scaling.type: \"yarn\"");
}

// The kind of scaling and its factor. As llama.cpp reads them: a factor without a type scales
// linearly, and the old name of the factor counts where the new one is missing.
Status ReadScaling(MetadataReader& metadata, RopeConfig& rope) {
  constexpr std::array<std::string_view, 4> kScalings = {"none", "linear", "yarn", "longrope"};
  constexpr std::string_view kFactor = "rope.scaling.factor";
  constexpr std::string_view kOldFactor = "rope.scale_linear";
  const std::string_view factor = metadata.Has(kFactor) ? kFactor : kOldFactor;
  metadata.Ignore(kOldFactor);
  std::size_t scaling = 0;
  EDGEMOE_RETURN_IF_ERROR(metadata.OneOf("rope.scaling.type",
                                         std::span(kScalings).first(rope.factors ? 4 : 3),
                                         metadata.Has(factor) ? 1 : 0, &scaling));
  rope.scaling = static_cast<RopeScaling>(scaling);
  EDGEMOE_RETURN_IF_ERROR(metadata.NumberOr(factor, 0.0F, kRopeFactorMax, 1.0F, &rope.factor));
  // 0 is how some files say that nothing is scaled.
  if (rope.factor == 0.0F) rope.factor = 1;
  if (rope.factor >= 1.0F) return OkStatus();
  return InvalidField(metadata.KeyOf(factor), ShowValue(static_cast<double>(rope.factor)),
                      "0 and [1, " + ShowValue(static_cast<double>(kRopeFactorMax)) + "]");
}

}  // namespace

Status CheckEven(const MetadataReader& metadata, std::string_view name, std::uint32_t value,
                 std::uint32_t most) {
  if (value % 2 == 0 && value > 0) return OkStatus();
  return InvalidField(metadata.KeyOf(name), ShowValue(value),
                      "even numbers in " + AcceptedRange(2U, most));
}

Status ReadRope(MetadataReader& metadata, const ModelConfig& config, std::uint32_t size,
                RopeConfig& rope) {
  EDGEMOE_RETURN_IF_ERROR(
      metadata.NumberOr("rope.freq_base", 1.0F, kRopeBaseMax, 10000.0F, &rope.base));
  EDGEMOE_RETURN_IF_ERROR(
      metadata.CountOr("rope.dimension_count", 2, size, size, &rope.dimension_count));
  EDGEMOE_RETURN_IF_ERROR(CheckEven(metadata, "rope.dimension_count", rope.dimension_count, size));
  EDGEMOE_RETURN_IF_ERROR(ReadScaling(metadata, rope));
  EDGEMOE_RETURN_IF_ERROR(
      metadata.NumberOr("rope.scaling.attn_factor", 0.01F, 100.0F, 1.0F, &rope.attention_factor));
  metadata.Ignore("rope.scaling.finetuned");
  const bool yarn = rope.scaling == RopeScaling::kYarn;
  if (yarn || rope.scaling == RopeScaling::kLongRope)
    EDGEMOE_RETURN_IF_ERROR(metadata.CountOr("rope.scaling.original_context_length", 1,
                                             kContextLengthMax, config.context_length,
                                             &rope.original_context_length));
  if (yarn) return ReadYarn(metadata, rope);
  for (const std::string_view name : {"rope.scaling.original_context_length",
                                      "rope.scaling.yarn_beta_fast", "rope.scaling.yarn_beta_slow"})
    metadata.Ignore(name);
  EDGEMOE_RETURN_IF_ERROR(RefuseExtrapolation(metadata));
  if (rope.scaling == RopeScaling::kNone) rope.factor = 1;
  return OkStatus();
}

Status ReadSizes(MetadataReader& metadata, ModelConfig& config) {
  std::uint32_t layer_count = 0;
  EDGEMOE_RETURN_IF_ERROR(metadata.Count("block_count", 1, kLayerCountMax, &layer_count));
  config.layers.resize(layer_count);
  EDGEMOE_RETURN_IF_ERROR(metadata.Count("embedding_length", 1, kWidthMax, &config.width));
  EDGEMOE_RETURN_IF_ERROR(
      metadata.Count("context_length", 1, kContextLengthMax, &config.context_length));
  return metadata.Number("attention.layer_norm_rms_epsilon", 0.0F, 0.999F, &config.rms_epsilon);
}

Status ReadAttention(MetadataReader& metadata, const ModelConfig& config,
                     AttentionConfig& attention) {
  EDGEMOE_RETURN_IF_ERROR(metadata.OnlyTrue("attention.causal"));
  const std::uint32_t layers = config.layer_count();
  EDGEMOE_RETURN_IF_ERROR(metadata.SameInEachLayer("attention.head_count", 1, kHeadCountMax, layers,
                                                   &attention.head_count));
  if (attention.kv_head_count == 0 && metadata.Has("attention.head_count_kv"))
    EDGEMOE_RETURN_IF_ERROR(metadata.SameInEachLayer(
        "attention.head_count_kv", 1, attention.head_count, layers, &attention.kv_head_count));
  if (attention.kv_head_count == 0) attention.kv_head_count = attention.head_count;
  if (attention.head_count % attention.kv_head_count != 0)
    return InvalidField(metadata.KeyOf("attention.head_count_kv"),
                        ShowValue(attention.kv_head_count),
                        "divisors of the head count " + ShowValue(attention.head_count));
  EDGEMOE_RETURN_IF_ERROR(metadata.CountOr("attention.key_length", 2, kHeadSizeMax,
                                           config.width / attention.head_count,
                                           &attention.head_size));
  EDGEMOE_RETURN_IF_ERROR(
      CheckEven(metadata, "attention.key_length", attention.head_size, kHeadSizeMax));
  EDGEMOE_RETURN_IF_ERROR(metadata.OnlyCount("attention.value_length", attention.head_size,
                                             "as many as a key (attention.key_length)"));
  return ReadRope(metadata, config, attention.head_size, attention.rope);
}

Status ReadKvHeadCounts(MetadataReader& metadata, const ModelConfig& config,
                        std::vector<std::uint32_t>* out) {
  constexpr std::string_view kName = "attention.head_count_kv";
  EDGEMOE_RETURN_IF_ERROR(metadata.EachLayer(kName, 0, kHeadCountMax, config.layer_count(), out));
  if (std::ranges::count(*out, 0U) < std::ssize(*out)) return OkStatus();
  return InvalidField(metadata.KeyOf(kName), "0 in every layer",
                      "numbers that are not 0 in at least one layer");
}

Status ReadExpertSizes(MetadataReader& metadata, std::string_view width_key, ModelConfig& config) {
  EDGEMOE_RETURN_IF_ERROR(metadata.Count("expert_count", 1, kExpertCountMax, &config.expert_count));
  EDGEMOE_RETURN_IF_ERROR(metadata.Count("expert_used_count", 1,
                                         std::min(config.expert_count, kExpertUsedCountMax),
                                         &config.expert_used_count));
  return metadata.SameInEachLayer(width_key, 1, kWidthMax, config.layer_count(),
                                  &config.expert_width);
}

Status ReadExpertCounts(MetadataReader& metadata, std::string_view width_key, ModelConfig& config) {
  EDGEMOE_RETURN_IF_ERROR(ReadExpertSizes(metadata, width_key, config));
  // What these architectures do not have, but a file of their relatives may say.
  EDGEMOE_RETURN_IF_ERROR(
      metadata.OnlyCount("expert_shared_count", 0, "for this architecture shares none"));
  std::uint32_t unused = 0;
  EDGEMOE_RETURN_IF_ERROR(metadata.CountOr("expert_group_count", 0, 1, 0, &unused));
  return metadata.CountOr("expert_group_used_count", 0, 1, 0, &unused);
}

Status ReadGating(MetadataReader& metadata, ExpertGating accepted, ExpertsConfig& experts) {
  experts.gating = accepted;
  // The numbers are llama.cpp's.
  const bool softmax = accepted == ExpertGating::kSoftmax;
  EDGEMOE_RETURN_IF_ERROR(metadata.OnlyCount("expert_gating_func", softmax ? 1 : 2,
                                             softmax ? "a softmax" : "sigmoids"));
  return ReadExpertWeightsScale(metadata, experts);
}

Status ReadExpertWeightsScale(MetadataReader& metadata, ExpertsConfig& experts) {
  // 0 is how some files say that nothing is scaled.
  EDGEMOE_RETURN_IF_ERROR(
      metadata.NumberOr("expert_weights_scale", 0.0F, 1e6F, 1.0F, &experts.weights_scale));
  if (experts.weights_scale == 0.0F) experts.weights_scale = 1;
  return OkStatus();
}

Status ReadExpertGroups(MetadataReader& metadata, const ModelConfig& config,
                        ExpertsConfig& experts) {
  constexpr std::string_view kCount = "expert_group_count";
  constexpr std::string_view kUsed = "expert_group_used_count";
  std::uint32_t count = 0;
  // Groups are judged by their two best experts.
  const std::uint32_t most = std::clamp(config.expert_count / 2, 1U, kExpertGroupCountMax);
  EDGEMOE_RETURN_IF_ERROR(metadata.CountOr(kCount, 0, most, 0, &count));
  std::uint32_t used = 0;
  EDGEMOE_RETURN_IF_ERROR(metadata.CountOr(kUsed, 0, std::max(count, 1U), 0, &used));
  if (count <= 1) return OkStatus();
  if (config.expert_count % count != 0)
    return InvalidField(metadata.KeyOf(kCount), ShowValue(count),
                        "divisors of the expert count " + ShowValue(config.expert_count));
  const std::uint32_t size = config.expert_count / count;
  const std::uint32_t least = (config.expert_used_count + size - 1) / size;
  EDGEMOE_RETURN_IF_ERROR(CheckRange(metadata.KeyOf(kUsed), used, least, count));
  experts.group_count = count;
  experts.group_used_count = used;
  return OkStatus();
}

Status ReadLeadingDense(MetadataReader& metadata, const ExpertsConfig& experts,
                        ModelConfig& config) {
  std::uint32_t dense_count = 0;
  EDGEMOE_RETURN_IF_ERROR(
      metadata.CountOr("leading_dense_block_count", 0, config.layer_count() - 1, 0, &dense_count));
  std::uint32_t dense_width = 0;
  if (dense_count > 0)
    EDGEMOE_RETURN_IF_ERROR(metadata.SameInEachLayer("feed_forward_length", 1, kWidthMax,
                                                     config.layer_count(), &dense_width));
  for (std::uint32_t i = 0; i < config.layer_count(); ++i) {
    if (i < dense_count) {
      config.layers[i].dense_width = dense_width;
    } else {
      config.layers[i].experts = experts;
    }
  }
  return OkStatus();
}

Status DropPredictionLayers(MetadataReader& metadata, ModelConfig& config) {
  EDGEMOE_RETURN_IF_ERROR(metadata.CountOr("nextn_predict_layers", 0, config.layer_count() - 1, 0,
                                           &config.prediction_layer_count));
  config.layers.resize(config.layer_count() - config.prediction_layer_count);
  return OkStatus();
}

void IgnoreDescriptions(MetadataReader& metadata) {
  for (const std::string_view name : {"vocab_size", "feed_forward_length",
                                      "expert_shared_feed_forward_length", "tensor_data_layout"})
    metadata.Ignore(name);
}

namespace {

// Appends rules where a layer has what they are of.
class RuleList {
 public:
  void Add(bool has, std::initializer_list<TensorRule> more) {
    if (has) rules_.insert(rules_.end(), more);
  }
  std::vector<TensorRule> Take() { return std::move(rules_); }

 private:
  std::vector<TensorRule> rules_;
};

void AddLatentAttention(const LatentAttentionConfig& latent, RuleList& rules) {
  const bool query_latent = latent.query_latent_size > 0;
  rules.Add(!query_latent, {{TensorRole::kQuery, "attn_q.weight"}});
  rules.Add(query_latent, {{TensorRole::kQueryDown, "attn_q_a.weight"},
                           {TensorRole::kQueryDownNorm, "attn_q_a_norm.weight"},
                           {TensorRole::kQueryUp, "attn_q_b.weight"}});
  rules.Add(true, {{TensorRole::kKeyValueDown, "attn_kv_a_mqa.weight"},
                   {TensorRole::kKeyValueDownNorm, "attn_kv_a_norm.weight"}});
  rules.Add(latent.joined_up, {{TensorRole::kKeyValueUp, "attn_kv_b.weight"}});
  rules.Add(!latent.joined_up,
            {{TensorRole::kKeyUp, "attn_k_b.weight"}, {TensorRole::kValueUp, "attn_v_b.weight"}});
  rules.Add(true, {{TensorRole::kAttentionOutput, "attn_output.weight"}});
}

void AddMixer(const LayerConfig& layer, RuleList& rules) {
  if (const auto* const attention = layer.mixer_as<AttentionConfig>()) {
    rules.Add(true, {{TensorRole::kQuery, "attn_q.weight"},
                     {TensorRole::kKey, "attn_k.weight"},
                     {TensorRole::kValue, "attn_v.weight"}});
    rules.Add(attention->biases, {{TensorRole::kQueryBias, "attn_q.bias"},
                                  {TensorRole::kKeyBias, "attn_k.bias"},
                                  {TensorRole::kValueBias, "attn_v.bias"}});
    rules.Add(attention->output_bias, {{TensorRole::kAttentionOutputBias, "attn_output.bias"}});
    rules.Add(attention->qk_norm != QkNorm::kNone, {{TensorRole::kQueryNorm, "attn_q_norm.weight"},
                                                    {TensorRole::kKeyNorm, "attn_k_norm.weight"}});
    rules.Add(attention->sinks, {{TensorRole::kSinks, "attn_sinks.weight"}});
    rules.Add(true, {{TensorRole::kAttentionOutput, "attn_output.weight"}});
  }
  if (const auto* const latent = layer.mixer_as<LatentAttentionConfig>())
    AddLatentAttention(*latent, rules);
  rules.Add(layer.mixer_as<ShortConvolutionConfig>() != nullptr,
            {{TensorRole::kConvolutionIn, "shortconv.in_proj.weight"},
             {TensorRole::kConvolutionKernel, "shortconv.conv.weight"},
             {TensorRole::kConvolutionOut, "shortconv.out_proj.weight"}});
  rules.Add(layer.mixer_as<Mamba2Config>() != nullptr,
            {{TensorRole::kMambaIn, "ssm_in.weight"},
             {TensorRole::kMambaKernel, "ssm_conv1d.weight"},
             {TensorRole::kMambaKernelBias, "ssm_conv1d.bias"},
             {TensorRole::kMambaStepBias, "ssm_dt.bias"},
             {TensorRole::kMambaDecay, "ssm_a"},
             {TensorRole::kMambaSkip, "ssm_d"},
             {TensorRole::kMambaNorm, "ssm_norm.weight"},
             {TensorRole::kMambaOut, "ssm_out.weight"}});
  if (const auto* const delta = layer.mixer_as<DeltaNetConfig>()) {
    rules.Add(
        true,
        {{.role = TensorRole::kDeltaGroupedIn, .name = "ssm_in.weight", .optional = true},
         {.role = TensorRole::kDeltaIn, .name = "attn_qkv.weight", .unless = "ssm_in.weight"},
         {.role = TensorRole::kDeltaGate, .name = "attn_gate.weight", .unless = "ssm_in.weight"}});
    rules.Add(delta->joined_rates, {{TensorRole::kDeltaRatesDecays, "ssm_ba.weight"}});
    rules.Add(!delta->joined_rates, {{TensorRole::kDeltaRate, "ssm_beta.weight"},
                                     {TensorRole::kDeltaDecay, "ssm_alpha.weight"}});
    rules.Add(true, {{TensorRole::kDeltaKernel, "ssm_conv1d.weight"},
                     {TensorRole::kDeltaDecayBias, "ssm_dt.bias"},
                     {TensorRole::kDeltaDecayScale, "ssm_a"},
                     {TensorRole::kDeltaNorm, "ssm_norm.weight"},
                     {TensorRole::kDeltaOut, "ssm_out.weight"}});
  }
}

void AddFeedForward(const LayerConfig& layer, RuleList& rules) {
  rules.Add(true, {{TensorRole::kFeedForwardNorm, "ffn_norm.weight"}});
  rules.Add(!layer.experts, {{TensorRole::kDenseGate, "ffn_gate.weight"},
                             {TensorRole::kDenseUp, "ffn_up.weight"},
                             {TensorRole::kDenseDown, "ffn_down.weight"}});
  if (!layer.experts) return;
  rules.Add(true, {{TensorRole::kRouter, "ffn_gate_inp.weight"}});
  rules.Add(layer.experts->selection_bias, {{TensorRole::kSelectionBias, "exp_probs_b.bias"}});
  rules.Add(layer.dense_gate, {{TensorRole::kDenseOutputGate, "ffn_gate_inp_shexp.weight"}});
  rules.Add(layer.dense_width > 0, {{TensorRole::kDenseGate, "ffn_gate_shexp.weight"},
                                    {TensorRole::kDenseUp, "ffn_up_shexp.weight"},
                                    {TensorRole::kDenseDown, "ffn_down_shexp.weight"}});
  rules.Add(layer.experts->router_bias, {{TensorRole::kRouterBias, "ffn_gate_inp.bias"}});
  rules.Add(layer.experts->biases, {{TensorRole::kGateBias, "ffn_gate_exps.bias"},
                                    {TensorRole::kUpBias, "ffn_up_exps.bias"},
                                    {TensorRole::kDownBias, "ffn_down_exps.bias"}});
  rules.Add(true, {{TensorRole::kGate, "ffn_gate_exps.weight"},
                   {TensorRole::kUp, "ffn_up_exps.weight"},
                   {TensorRole::kDown, "ffn_down_exps.weight"}});
}

}  // namespace

std::vector<TensorRule> LayerTensors(const LayerConfig& layer) {
  RuleList rules;
  rules.Add(true, {{TensorRole::kAttentionNorm, "attn_norm.weight"}});
  AddMixer(layer, rules);
  AddFeedForward(layer, rules);
  return rules.Take();
}

}  // namespace edgemoe::arch
