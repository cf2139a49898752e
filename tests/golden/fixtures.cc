// SPDX-License-Identifier: Apache-2.0
#include "tests/golden/fixtures.h"

#include <algorithm>

namespace edgemoe {
namespace {

constexpr std::uint32_t kLayerCount = 3;

ModelConfig Common(std::string_view architecture) {
  ModelConfig config;
  config.architecture = architecture;
  config.name = "random";
  config.width = 64;
  config.vocabulary_size = kTinyVocabularySize;
  config.context_length = 512;
  config.rms_epsilon = 0.01F;
  config.expert_count = 8;
  config.expert_used_count = 3;
  config.expert_width = 96;
  return config;
}

AttentionConfig CommonAttention() {
  AttentionConfig attention;
  attention.head_count = 4;
  attention.kv_head_count = 2;
  attention.head_size = 32;
  attention.rope.dimension_count = attention.head_size;
  attention.rope.base = 50000;
  return attention;
}

// Lengths are shorter than the longer prompts; a low base leaves many pairs between the bounds.
RopeConfig Yarn(RopeConfig rope) {
  rope.base = 2000;
  rope.scaling = RopeScaling::kYarn;
  rope.factor = 4;
  rope.original_context_length = 32;
  return rope;
}

RandomModelOptions Qwen3Moe() {
  RandomModelOptions model;
  model.config = Common("qwen3moe");
  LayerConfig layer;
  layer.attention = CommonAttention();
  layer.attention.qk_norm = QkNorm::kHead;
  layer.experts = ExpertsConfig{.normalise = true};
  model.config.layers.assign(kLayerCount, layer);
  return model;
}

// Rows of the embedding are those of the output.
WeightSpread TiedSpread(TensorRole role, std::uint64_t columns) {
  return LivelySpread(role == TensorRole::kEmbedding ? TensorRole::kOutput : role, columns);
}

RandomModelOptions Qwen3MoeScaledWeights() {
  RandomModelOptions model = Qwen3Moe();
  model.spread = TiedSpread;
  model.config.rms_epsilon = 0.03F;
  model.seed = 2;
  for (LayerConfig& layer : model.config.layers) layer.experts->weights_scale = 0.5F;
  model.tied_output = true;
  return model;
}

RandomModelOptions Qwen3MoeLinear() {
  RandomModelOptions model = Qwen3Moe();
  for (LayerConfig& layer : model.config.layers) {
    RopeConfig& rope = layer.attention.rope;
    rope.scaling = RopeScaling::kLinear;
    rope.factor = 2.5F;
    rope.attention_factor = 0.75F;
  }
  return model;
}

// Rows of whole K-quant blocks.
RandomModelOptions Qwen3MoeYarn() {
  RandomModelOptions model = Qwen3Moe();
  model.config.width = 256;
  model.config.expert_width = 256;
  model.config.layers.resize(2);
  for (LayerConfig& layer : model.config.layers) {
    AttentionConfig& attention = layer.attention;
    attention.head_count = 8;
    attention.rope = Yarn(attention.rope);
    attention.rope.beta_fast = 1.5F;
    attention.rope.beta_slow = 0.5F;
    attention.rope.extrapolation = 0.75F;
    attention.rope.attention_factor = 0.8F;
  }
  return model;
}

// llama.cpp has OLMoE's k norm as wide as the model: each query head has its own keys, and heads
// share the width.
RandomModelOptions Olmoe() {
  RandomModelOptions model;
  model.config = Common("olmoe");
  LayerConfig layer;
  layer.attention = CommonAttention();
  layer.attention.kv_head_count = 4;
  layer.attention.head_size = 16;
  layer.attention.rope.dimension_count = 16;
  layer.attention.qk_norm = QkNorm::kRow;
  layer.experts.emplace();
  model.config.layers.assign(kLayerCount, layer);
  return model;
}

// Gate and up reach beyond the clamp at 7 here and there.
WeightSpread ClampedSpread(TensorRole role, std::uint64_t columns) {
  WeightSpread spread = LivelySpread(role, columns);
  if (role == TensorRole::kGate || role == TensorRole::kUp) spread.reach *= 4;
  if (role == TensorRole::kDown) spread.reach /= 6;
  return spread;
}

RandomModelOptions GptOss() {
  RandomModelOptions model;
  model.config = Common("gpt-oss");
  model.config.expert_used_count = 2;
  model.spread = ClampedSpread;
  model.seed = 3;
  LayerConfig layer;
  layer.attention = CommonAttention();
  layer.attention.biases = true;
  layer.attention.sinks = true;
  layer.attention.rope = Yarn(layer.attention.rope);
  layer.experts = ExpertsConfig{.gating = ExpertGating::kSoftmaxOfChosen,
                                .router_bias = true,
                                .biases = true,
                                .activation = Activation::kClampedSwiglu};
  model.config.layers.assign(kLayerCount, layer);
  for (std::uint32_t i = 0; i < kLayerCount; i += 2) model.config.layers[i].attention.window = 12;
  return model;
}

RandomModelOptions Quantised(RandomModelOptions model, TensorType dense, TensorType experts,
                             TensorType down) {
  model.type_of = [=](TensorRole role) {
    if (role == TensorRole::kDown) return down;
    return IsOfExpert(role) ? experts : dense;
  };
  return model;
}

// Each tensor in another type than its neighbours and than the same tensor of the other layer.
RandomModelOptions MixedIq(RandomModelOptions model) {
  using enum TensorType;
  constexpr TensorType kTypes[] = {kIQ4_XS, kIQ3_S, kIQ3_XXS, kIQ2_S, kIQ2_XS, kIQ2_XXS};
  std::size_t next = 0;
  for (const RandomTensor& tensor : RandomModelTensors(model))
    if (IsRequantisable(tensor.role)) model.tensor_types[tensor.name] = kTypes[next++ % 6];
  return model;
}

std::vector<Fixture> All() {
  using enum TensorType;
  return {
      {"qwen3moe", Qwen3Moe()},
      {"qwen3moe-Q8_0", Quantised(Qwen3Moe(), kQ8_0, kQ8_0, kQ8_0)},
      {"qwen3moe-scaled-weights", Qwen3MoeScaledWeights()},
      {"qwen3moe-scaled-weights-Q4_0", Quantised(Qwen3MoeScaledWeights(), kQ8_0, kQ4_0, kQ5_0)},
      {"qwen3moe-linear", Qwen3MoeLinear()},
      {"qwen3moe-yarn", Qwen3MoeYarn()},
      {"qwen3moe-yarn-Q4_K", Quantised(Qwen3MoeYarn(), kQ4_K, kQ4_K, kQ6_K)},
      {"qwen3moe-yarn-IQ", MixedIq(Qwen3MoeYarn())},
      {"olmoe", Olmoe()},
      {"olmoe-Q8_0", Quantised(Olmoe(), kQ8_0, kQ5_0, kQ8_0)},
      {"gpt-oss", GptOss()},
      {"gpt-oss-MXFP4", Quantised(GptOss(), kQ8_0, kMXFP4, kMXFP4)},
  };
}

}  // namespace

const std::vector<Fixture>& Fixtures() {
  static const std::vector<Fixture> fixtures = All();
  return fixtures;
}

RandomModelOptions ForLlama(const RandomModelOptions& model) {
  const float scale = model.config.layers.back().experts->weights_scale;
  if (scale == 1) return model;
  RandomModelOptions other = model;
  for (LayerConfig& layer : other.config.layers) layer.experts->weights_scale = 1;
  other.spread = [spread = model.spread, scale](TensorRole role, std::uint64_t columns) {
    WeightSpread of = spread(role, columns);
    if (role == TensorRole::kDown) of.reach *= static_cast<double>(scale);
    return of;
  };
  return other;
}

const Fixture* FindFixture(std::string_view name) {
  const auto found = std::ranges::find(Fixtures(), name, &Fixture::name);
  return found == Fixtures().end() ? nullptr : &*found;
}

}  // namespace edgemoe
