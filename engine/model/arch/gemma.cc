// SPDX-License-Identifier: Apache-2.0
//
// Gemma 3 and Gemma 4: the embedding is multiplied by the root of its width, what attention and
// feed-forward add is normed, too, GELU in place of SiLU, and most layers see a window only, with a
// RoPE of their own. Gemma 4 norms values, has window layers with heads of another size, may take
// keys as values, and norms router, experts and the dense feed-forward beside them apart.
#include <algorithm>
#include <cmath>

#include "engine/base/accepted.h"
#include "engine/model/arch/names.h"

namespace edgemoe::arch {
namespace {

constexpr float kFrequencyBaseMax = 1e12F;
constexpr float kLogitCapMax = 1e6F;
constexpr std::string_view kPattern = "attention.sliding_window_pattern";

// `usual_cap`: of files that do not say it, as llama.cpp has it.
Status ReadOwnSizes(MetadataReader& metadata, float usual_cap, ModelConfig& config) {
  EDGEMOE_RETURN_IF_ERROR(ReadSizes(metadata, config));
  config.embedding_scale = std::sqrt(static_cast<float>(config.width));
  IgnoreDescriptions(metadata);
  return metadata.NumberOr("final_logit_softcapping", 0.0F, kLogitCapMax, usual_cap,
                           &config.logit_softcap);
}

Status ReadDenseWidth(MetadataReader& metadata, ModelConfig& config) {
  std::uint32_t width = 0;
  EDGEMOE_RETURN_IF_ERROR(
      metadata.SameInEachLayer("feed_forward_length", 1, kWidthMax, config.layer_count(), &width));
  for (LayerConfig& layer : config.layers) {
    layer.dense_width = width;
    layer.activation = Activation::kGeglu;
  }
  return OkStatus();
}

// Of a layer that sees a window only, whose RoPE is never scaled.
Status ReadWindow(MetadataReader& metadata, AttentionConfig& attention) {
  EDGEMOE_RETURN_IF_ERROR(
      metadata.Count("attention.sliding_window", 1, kContextLengthMax, &attention.window));
  RopeConfig& rope = attention.rope;
  rope = {.dimension_count = rope.dimension_count};
  return metadata.NumberOr("rope.freq_base_swa", 1.0F, kFrequencyBaseMax, 10000.0F, &rope.base);
}

// Where no layer sees a window only, what the file says of such layers is of none.
void IgnoreWindows(MetadataReader& metadata) {
  for (const std::string_view name :
       {"attention.sliding_window", "attention.sliding_window_pattern", "rope.freq_base_swa",
        "attention.key_length_swa", "attention.value_length_swa", "rope.dimension_count_swa"})
    metadata.Ignore(name);
}

// Which layers see a window only. Most files of Gemma 3 do not say it: all but each sixth.
Status ReadPattern(MetadataReader& metadata, std::uint32_t layer_count,
                   std::vector<bool>* windows) {
  if (metadata.HasArray(kPattern)) {
    EDGEMOE_RETURN_IF_ERROR(metadata.Flags(kPattern, layer_count, windows));
  } else {
    std::uint32_t period = 0;
    EDGEMOE_RETURN_IF_ERROR(metadata.CountOr(kPattern, 1, kLayerCountMax, 6, &period));
    windows->clear();
    for (std::uint32_t i = 0; i < layer_count; ++i) windows->push_back((i + 1) % period != 0);
  }
  if (std::ranges::find(*windows, true) == windows->end()) IgnoreWindows(metadata);
  return OkStatus();
}

Status ReadGemma3(MetadataReader& metadata, ModelConfig& config) {
  EDGEMOE_RETURN_IF_ERROR(ReadOwnSizes(metadata, 0, config));
  EDGEMOE_RETURN_IF_ERROR(ReadDenseWidth(metadata, config));
  AttentionConfig full;
  full.qk_norm = QkNorm::kHead;
  EDGEMOE_RETURN_IF_ERROR(ReadAttention(metadata, config, full));
  // The 27B model divides by the root of another size, which files do not have; llama.cpp knows it
  // by its number of layers, too.
  constexpr std::uint32_t kLayersOf27B = 62;
  if (config.layer_count() == kLayersOf27B)
    full.score_scale = 1 / std::sqrt(static_cast<float>(config.width / full.head_count));
  // 0 is how some files say that there is no window.
  std::uint32_t window = 0;
  EDGEMOE_RETURN_IF_ERROR(
      metadata.CountOr("attention.sliding_window", 0, kContextLengthMax, 0, &window));
  std::vector<bool> windows(config.layer_count());
  if (window > 0) {
    EDGEMOE_RETURN_IF_ERROR(ReadPattern(metadata, config.layer_count(), &windows));
  } else {
    IgnoreWindows(metadata);
  }
  for (std::uint32_t i = 0; i < config.layer_count(); ++i) {
    AttentionConfig attention = full;
    if (windows[i]) EDGEMOE_RETURN_IF_ERROR(ReadWindow(metadata, attention));
    config.layers[i].mixer = attention;
  }
  return OkStatus();
}

// Heads of a window layer have a size of their own; how much of them is rotated is that of other
// layers where the file does not say it.
Status ReadWindowHeads(MetadataReader& metadata, AttentionConfig& attention) {
  constexpr std::string_view kKeyLength = "attention.key_length_swa";
  std::uint32_t& size = attention.head_size;
  EDGEMOE_RETURN_IF_ERROR(metadata.Count(kKeyLength, 2, kHeadSizeMax, &size));
  EDGEMOE_RETURN_IF_ERROR(CheckEven(metadata, kKeyLength, size, kHeadSizeMax));
  EDGEMOE_RETURN_IF_ERROR(metadata.OnlyCount("attention.value_length_swa", size,
                                             "as many as a key (attention.key_length_swa)"));
  constexpr std::string_view kDimensions = "rope.dimension_count_swa";
  std::uint32_t& rotated = attention.rope.dimension_count;
  EDGEMOE_RETURN_IF_ERROR(metadata.CountOr(kDimensions, 2, size, rotated, &rotated));
  EDGEMOE_RETURN_IF_ERROR(CheckRange(metadata.KeyOf(kDimensions), rotated, 2U, size));
  return CheckEven(metadata, kDimensions, rotated, size);
}

Status ReadGemma4Attention(MetadataReader& metadata, ModelConfig& config) {
  std::vector<bool> windows;
  EDGEMOE_RETURN_IF_ERROR(ReadPattern(metadata, config.layer_count(), &windows));
  std::vector<std::uint32_t> kv_head_counts;
  EDGEMOE_RETURN_IF_ERROR(metadata.EachLayer("attention.head_count_kv", 1, kHeadCountMax,
                                             config.layer_count(), &kv_head_counts));
  for (std::uint32_t i = 0; i < config.layer_count(); ++i) {
    AttentionConfig attention;
    attention.qk_norm = QkNorm::kHead;
    attention.value_norm = true;
    attention.score_scale = 1;
    attention.kv_head_count = kv_head_counts[i];
    EDGEMOE_RETURN_IF_ERROR(ReadAttention(metadata, config, attention));
    attention.rope.factors = true;
    if (windows[i]) {
      EDGEMOE_RETURN_IF_ERROR(ReadWindowHeads(metadata, attention));
      EDGEMOE_RETURN_IF_ERROR(ReadWindow(metadata, attention));
    }
    config.layers[i].mixer = attention;
  }
  return OkStatus();
}

// Marks of images and audio, which a model of text must not write.
Status ReadSuppressedTokens(const GgufFile& file, ModelConfig& config) {
  constexpr std::string_view kKey = "tokenizer.ggml.suppress_tokens";
  if (file.Find(kKey) == nullptr) return OkStatus();
  EDGEMOE_ASSIGN_OR_RETURN(const std::vector<std::int32_t> tokens, file.GetInt32Array(kKey));
  for (const std::int32_t token : tokens) config.suppressed_tokens.push_back(TokenId{token});
  return OkStatus();
}

Status ReadGemma4(MetadataReader& metadata, ModelConfig& config) {
  EDGEMOE_RETURN_IF_ERROR(ReadOwnSizes(metadata, 30, config));
  EDGEMOE_RETURN_IF_ERROR(
      metadata.OnlyCount("embedding_length_per_layer_input", 0,
                         "since embeddings of each layer (E2B, E4B) are not supported"));
  EDGEMOE_RETURN_IF_ERROR(
      metadata.OnlyCount("attention.shared_kv_layers", 0,
                         "since layers that share keys and values (E2B, E4B) are not supported"));
  EDGEMOE_RETURN_IF_ERROR(ReadSuppressedTokens(metadata.file(), config));
  EDGEMOE_RETURN_IF_ERROR(ReadGemma4Attention(metadata, config));
  EDGEMOE_RETURN_IF_ERROR(ReadDenseWidth(metadata, config));
  std::uint32_t expert_count = 0;
  EDGEMOE_RETURN_IF_ERROR(metadata.CountOr("expert_count", 0, kExpertCountMax, 0, &expert_count));
  if (expert_count == 0) {
    metadata.Ignore("expert_feed_forward_length");
    metadata.Ignore("expert_used_count");
    return OkStatus();
  }
  EDGEMOE_RETURN_IF_ERROR(ReadExpertCounts(metadata, "expert_feed_forward_length", config));
  for (LayerConfig& layer : config.layers) {
    layer.experts = ExpertsConfig{.normalise = true,
                                  .logit_scale = 1 / std::sqrt(static_cast<float>(config.width))};
    layer.branch_norms = true;
  }
  return OkStatus();
}

std::vector<TensorRule> Gemma3Tensors(const LayerConfig& layer) {
  std::vector<TensorRule> rules = LayerTensors(layer);
  rules.insert(rules.end(), {{TensorRole::kAttentionPostNorm, "post_attention_norm.weight"},
                             {TensorRole::kFeedForwardPostNorm, "post_ffw_norm.weight"}});
  return rules;
}

std::vector<TensorRule> Gemma4Tensors(const LayerConfig& layer) {
  std::vector<TensorRule> rules = Gemma3Tensors(layer);
  for (TensorRule& rule : rules) {
    switch (rule.role) {
      // Layers that see everything may take keys as values.
      case TensorRole::kValue: rule.optional = layer.attention().window == 0; break;
      // What stands beside experts is no shared expert here, but has the names of a dense layer.
      case TensorRole::kDenseGate: rule.name = "ffn_gate.weight"; break;
      case TensorRole::kDenseUp: rule.name = "ffn_up.weight"; break;
      case TensorRole::kDenseDown: rule.name = "ffn_down.weight"; break;
      default: break;
    }
  }
  rules.push_back({TensorRole::kLayerScale, "layer_output_scale.weight", true});
  if (layer.experts) {
    rules.insert(rules.end(), {{TensorRole::kExpertsNorm, "pre_ffw_norm_2.weight"},
                               {TensorRole::kExpertsPostNorm, "post_ffw_norm_2.weight"},
                               {TensorRole::kDensePostNorm, "post_ffw_norm_1.weight"},
                               {TensorRole::kRouterNorm, "ffn_gate_inp.scale"},
                               {TensorRole::kExpertScale, "ffn_down_exps.scale", true}});
  }
  return rules;
}

}  // namespace

const Architecture kGemma3 = {.name = "gemma3", .read = ReadGemma3, .layer_tensors = Gemma3Tensors};
const Architecture kGemma4 = {.name = "gemma4", .read = ReadGemma4, .layer_tensors = Gemma4Tensors};

}  // namespace edgemoe::arch
