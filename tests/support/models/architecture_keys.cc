// SPDX-License-Identifier: Apache-2.0
#include "tests/support/models/architecture_keys.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace edgemoe {
namespace {

class KeyWriter {
 public:
  explicit KeyWriter(const std::string& architecture) : prefix_(architecture + ".") {}

  void Add(std::string_view name, GgufValue value) {
    entries_.push_back({prefix_ + std::string(name), std::move(value)});
  }
  void AddUnless(float usual, std::string_view name, float value) {
    if (value != usual) Add(name, value);
  }
  std::vector<GgufEntry> Take() { return std::move(entries_); }

 private:
  const std::string prefix_;
  std::vector<GgufEntry> entries_;
};

// The last layer that has one; null: none has.
template <class Mixer>
const Mixer* LastOf(const ModelConfig& config) {
  const Mixer* last = nullptr;
  for (const LayerConfig& layer : config.layers)
    if (const auto* mixer = layer.mixer_as<Mixer>()) last = mixer;
  return last;
}

// The last attention layer that sees a window, or that does not; null: none does.
const AttentionConfig* LastAttention(const ModelConfig& config, bool window) {
  const AttentionConfig* last = nullptr;
  for (const LayerConfig& layer : config.layers) {
    const auto* const attention = layer.mixer_as<AttentionConfig>();
    if (attention != nullptr && (attention->window > 0) == window) last = attention;
  }
  return last;
}

bool IsGemma(const ModelConfig& config) { return config.architecture.starts_with("gemma"); }

// A number, or where layers differ one for each: 0 for those without attention. Delta nets are told
// by another key.
GgufValue KvHeadCounts(const ModelConfig& config) {
  std::vector<std::int32_t> counts;
  for (const LayerConfig& layer : config.layers) {
    if (layer.mixer_as<DeltaNetConfig>() != nullptr) continue;
    const auto* const attention = layer.mixer_as<AttentionConfig>();
    counts.push_back(attention == nullptr ? 0
                                          : static_cast<std::int32_t>(attention->kv_head_count));
  }
  if (std::ranges::count(counts, counts.front()) == std::ssize(counts))
    return static_cast<std::uint32_t>(counts.front());
  return GgufArray::OfInt32(counts);
}

void AddAttention(const ModelConfig& config, const AttentionConfig& attention, KeyWriter& keys) {
  keys.Add("attention.head_count", attention.head_count);
  keys.Add("attention.head_count_kv", KvHeadCounts(config));
  keys.Add("attention.key_length", attention.head_size);
  keys.Add("attention.value_length", attention.head_size);
  if (!IsGemma(config)) keys.AddUnless(0, "attention.scale", attention.score_scale);
}

void AddMamba(const Mamba2Config& mamba, KeyWriter& keys) {
  keys.Add("ssm.conv_kernel", mamba.taps);
  keys.Add("ssm.inner_size", mamba.inner_size());
  keys.Add("ssm.state_size", mamba.state_size);
  keys.Add("ssm.time_step_rank", mamba.head_count);
  keys.Add("ssm.group_count", mamba.group_count);
}

// Window layers have a RoPE of their own, and in Gemma 4 heads of their own, too.
void AddGemma(const ModelConfig& config, KeyWriter& keys) {
  const float usual_cap = config.architecture == "gemma3" ? 0 : 30;
  keys.AddUnless(usual_cap, "final_logit_softcapping", config.logit_softcap);
  const AttentionConfig& window = *LastAttention(config, true);
  keys.AddUnless(10000, "rope.freq_base_swa", window.rope.base);
  if (config.architecture == "gemma3") return;
  keys.Add("embedding_length_per_layer_input", std::uint32_t{0});
  keys.Add("attention.key_length_swa", window.head_size);
  keys.Add("attention.value_length_swa", window.head_size);
  keys.Add("rope.dimension_count_swa", window.rope.dimension_count);
  std::string flags;
  for (const LayerConfig& layer : config.layers)
    flags.push_back(layer.attention().window > 0 ? 1 : 0);
  GgufArray array(GgufValueType::kBool);
  array.AppendPacked(flags);
  keys.Add("attention.sliding_window_pattern", std::move(array));
}

void AddScales(const ModelConfig& config, KeyWriter& keys) {
  keys.AddUnless(1, "embedding_scale", config.embedding_scale);
  keys.AddUnless(1, "residual_scale", config.residual_scale);
  // Granite's files all have it.
  const float divisor = 1 / config.logit_scale;
  keys.AddUnless(config.architecture.starts_with("granite") ? 0 : 1, "logit_scale", divisor);
}

void AddLatentAttention(const LatentAttentionConfig& attention, KeyWriter& keys) {
  const std::uint32_t head_size = attention.query_size();
  keys.Add("attention.head_count", attention.head_count);
  keys.Add("attention.q_lora_rank", attention.query_latent_size);
  keys.Add("attention.kv_lora_rank", attention.latent_size);
  if (attention.joined_up) {
    keys.Add("attention.head_count_kv", attention.head_count);
    keys.Add("attention.key_length", head_size);
    keys.Add("attention.value_length", attention.value_size);
  } else {
    keys.Add("attention.head_count_kv", std::uint32_t{1});
    keys.Add("attention.key_length", attention.key_size());
    keys.Add("attention.value_length", attention.latent_size);
    keys.Add("attention.key_length_mla", head_size);
    keys.Add("attention.value_length_mla", attention.value_size);
  }
  keys.AddUnless(0, "rope.scaling.yarn_log_multiplier", attention.log_multiplier);
}

void AddRope(const RopeConfig& rope, std::uint32_t head_size, KeyWriter& keys) {
  if (rope.dimension_count == 0) {
    keys.Add("rope.scaling.finetuned", false);
    return;
  }
  keys.Add("rope.freq_base", rope.base);
  if (rope.dimension_count != head_size) keys.Add("rope.dimension_count", rope.dimension_count);
  if (rope.scaling == RopeScaling::kNone) return;
  constexpr std::array kTypes = {"none", "linear", "yarn", "longrope"};
  keys.Add("rope.scaling.type", std::string(kTypes[static_cast<std::size_t>(rope.scaling)]));
  keys.Add("rope.scaling.factor", rope.factor);
  keys.AddUnless(1, "rope.scaling.attn_factor", rope.attention_factor);
  if (rope.scaling == RopeScaling::kLinear) return;
  keys.Add("rope.scaling.original_context_length", rope.original_context_length);
  keys.AddUnless(32, "rope.scaling.yarn_beta_fast", rope.beta_fast);
  keys.AddUnless(1, "rope.scaling.yarn_beta_slow", rope.beta_slow);
  keys.AddUnless(1, "rope.scaling.yarn_ext_factor", rope.extrapolation);
}

// Qwen3.5 turns pairs by time, height and width in turn.
void AddSections(const RopeConfig& rope, KeyWriter& keys) {
  const auto pairs = static_cast<std::int32_t>(rope.dimension_count / 2);
  keys.Add("rope.dimension_sections",
           GgufArray::OfInt32({(pairs + 2) / 3, (pairs + 1) / 3, pairs / 3, 0}));
}

void AddDeltaNet(const DeltaNetConfig& delta, KeyWriter& keys) {
  keys.Add("ssm.conv_kernel", delta.taps);
  keys.Add("ssm.state_size", delta.head_size);
  keys.Add("ssm.group_count", delta.key_head_count);
  keys.Add("ssm.time_step_rank", delta.value_head_count);
  keys.Add("ssm.inner_size", delta.value_size());
}

// Which layers are delta nets: each but the so many-th, or said for each layer.
void AddRecurrentLayers(const ModelConfig& config, KeyWriter& keys) {
  const auto is_delta = [&](std::uint32_t i) {
    return config.layers[i].mixer_as<DeltaNetConfig>() != nullptr;
  };
  std::uint32_t interval = 1;
  while (interval <= config.layer_count() && is_delta(interval - 1)) ++interval;
  bool regular = true;
  std::string flags;
  for (std::uint32_t i = 0; i < config.layer_count() + config.prediction_layer_count; ++i) {
    const bool delta = i < config.layer_count() && is_delta(i);
    flags.push_back(delta ? 1 : 0);
    if (i < config.layer_count()) regular = regular && delta == ((i + 1) % interval != 0);
  }
  if (regular) return keys.Add("full_attention_interval", interval);
  GgufArray array(GgufValueType::kBool);
  array.AppendPacked(flags);
  keys.Add("attention.recurrent_layers", std::move(array));
}

// They have no dense layers, and give the width of an expert as feed_forward_length.
bool HasPlainWidthKey(std::string_view architecture) {
  return architecture == "olmoe" || architecture == "llama" || architecture == "minicpm" ||
         architecture.starts_with("granite");
}

void AddExperts(const ModelConfig& config, KeyWriter& keys) {
  const ExpertsConfig& experts = *config.layers.back().experts;
  keys.Add("expert_count", config.expert_count);
  keys.Add("expert_used_count", config.expert_used_count);
  if (!HasPlainWidthKey(config.architecture))
    keys.Add("expert_feed_forward_length", config.expert_width);
  keys.AddUnless(1, "expert_weights_scale", experts.weights_scale);
  if (experts.gating == ExpertGating::kSigmoid) keys.Add("expert_gating_func", std::uint32_t{2});
  const std::uint32_t shared = config.layers.back().dense_width;
  const bool latent = LastOf<LatentAttentionConfig>(config) != nullptr;
  if (latent) keys.Add("expert_shared_count", shared / config.expert_width);
  if (!latent && !config.layers.back().branch_norms && shared > 0)
    keys.Add("expert_shared_feed_forward_length", shared);
  if (latent && experts.normalise) keys.Add("expert_weights_norm", true);
  if (experts.group_count > 1) {
    keys.Add("expert_group_count", experts.group_count);
    keys.Add("expert_group_used_count", experts.group_used_count);
  }
  // Dense layers stand before those with experts.
  const std::uint32_t dense_count = config.layer_count() - config.expert_layer_count();
  if (dense_count > 0) keys.Add("leading_dense_block_count", dense_count);
}

}  // namespace

std::vector<GgufEntry> ArchitectureKeys(const ModelConfig& config) {
  KeyWriter keys(config.architecture);
  keys.Add("block_count", config.layer_count() + config.prediction_layer_count);
  if (config.prediction_layer_count > 0)
    keys.Add("nextn_predict_layers", config.prediction_layer_count);
  keys.Add("context_length", config.context_length);
  keys.Add("embedding_length", config.width);
  const std::uint32_t first_width = config.layers.front().dense_width;
  const bool dense_first = !config.layers.front().experts || config.layers.front().branch_norms;
  keys.Add("feed_forward_length", dense_first ? first_width : config.expert_width);
  const auto* attention = LastAttention(config, /*window=*/false);
  if (attention == nullptr) attention = LastAttention(config, /*window=*/true);
  if (attention != nullptr) AddAttention(config, *attention, keys);
  keys.Add("attention.layer_norm_rms_epsilon", config.rms_epsilon);
  if (attention != nullptr) AddRope(attention->rope, attention->head_size, keys);
  if (const auto* const latent = LastOf<LatentAttentionConfig>(config)) {
    AddLatentAttention(*latent, keys);
    AddRope(latent->rope, /*head_size=*/0, keys);
  }
  if (config.architecture.starts_with("qwen35")) AddSections(attention->rope, keys);
  if (config.expert_layer_count() > 0) AddExperts(config, keys);
  if (IsGemma(config)) {
    AddGemma(config, keys);
  } else {
    AddScales(config, keys);
  }
  if (const auto* const convolution = LastOf<ShortConvolutionConfig>(config))
    keys.Add("shortconv.l_cache", convolution->taps);
  if (const auto* const mamba = LastOf<Mamba2Config>(config)) AddMamba(*mamba, keys);
  if (const auto* const delta = LastOf<DeltaNetConfig>(config)) {
    AddDeltaNet(*delta, keys);
    AddRecurrentLayers(config, keys);
  }
  if (const auto* const window = LastAttention(config, /*window=*/true))
    keys.Add("attention.sliding_window", window->window);

  std::vector<GgufEntry> entries = {{"general.architecture", config.architecture},
                                    {"general.name", config.name}};
  std::ranges::move(keys.Take(), std::back_inserter(entries));
  return entries;
}

}  // namespace edgemoe
