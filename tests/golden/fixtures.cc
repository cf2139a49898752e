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
  layer.attention() = CommonAttention();
  layer.attention().qk_norm = QkNorm::kHead;
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
    RopeConfig& rope = layer.attention().rope;
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
    AttentionConfig& attention = layer.attention();
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
  layer.attention() = CommonAttention();
  layer.attention().kv_head_count = 4;
  layer.attention().head_size = 16;
  layer.attention().rope.dimension_count = 16;
  layer.attention().qk_norm = QkNorm::kRow;
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
  layer.attention() = CommonAttention();
  layer.attention().biases = true;
  layer.attention().output_bias = true;
  layer.attention().sinks = true;
  layer.attention().rope = Yarn(layer.attention().rope);
  layer.experts = ExpertsConfig{.gating = ExpertGating::kSoftmaxOfChosen,
                                .router_bias = true,
                                .biases = true,
                                .activation = Activation::kClampedSwiglu};
  model.config.layers.assign(kLayerCount, layer);
  for (std::uint32_t i = 0; i < kLayerCount; i += 2) model.config.layers[i].attention().window = 12;
  return model;
}

RandomModelOptions WithoutExperts(RandomModelOptions model, std::uint32_t dense_width) {
  model.config.expert_count = 0;
  model.config.expert_used_count = 0;
  model.config.expert_width = 0;
  for (LayerConfig& layer : model.config.layers) {
    layer.experts.reset();
    layer.dense_width = dense_width;
  }
  return model;
}

ExpertsConfig SigmoidExperts() {
  return {.gating = ExpertGating::kSigmoid, .selection_bias = true, .normalise = true};
}

DeltaNetConfig CommonDeltaNet() {
  DeltaNetConfig delta;
  delta.key_head_count = 2;
  delta.value_head_count = 6;
  delta.head_size = 32;
  delta.taps = 4;
  return delta;
}

// Three layers of four: as published models have them, of which each fourth is attention.
void SetDeltaLayers(const DeltaNetConfig& delta, ModelConfig& config) {
  config.rms_epsilon = 0.002F;
  LayerConfig layer;
  layer.attention() = CommonAttention();
  layer.attention().qk_norm = QkNorm::kHead;
  layer.attention().output_gate = true;
  layer.attention().rope.dimension_count = 16;
  if (config.expert_count > 0) layer.experts = ExpertsConfig{.normalise = true};
  layer.dense_width = 40;
  layer.dense_gate = config.expert_count > 0;
  config.layers.assign(4, layer);
  for (const std::uint32_t i : {0U, 1U, 3U}) config.layers[i].mixer = delta;
}

// A block behind the layers, as Qwen3.5 has it for predicting a second token.
void AddPredictionLayer(RandomModelOptions& model) {
  ModelConfig& config = model.config;
  config.prediction_layer_count = 1;
  const auto attention = std::ranges::find_if(config.layers, [](const LayerConfig& layer) {
    return layer.mixer_as<AttentionConfig>() != nullptr;
  });
  model.unused_tensors = RandomLayerTensors(model, *attention, config.layer_count());
  const std::string prefix = "blk." + std::to_string(config.layer_count()) + ".nextn.";
  const std::uint64_t width = config.width;
  const auto add = [&](const char* name, TensorRole like, std::vector<std::uint64_t> dims) {
    model.unused_tensors.push_back({prefix + name, like, TensorType::kF32, std::move(dims)});
  };
  add("eh_proj.weight", TensorRole::kDeltaOut, {2 * width, width});
  add("enorm.weight", TensorRole::kOutputNorm, {width});
  add("hnorm.weight", TensorRole::kOutputNorm, {width});
  add("shared_head_norm.weight", TensorRole::kOutputNorm, {width});
}

RandomModelOptions Qwen35Moe() {
  RandomModelOptions model;
  model.config = Common("qwen35moe");
  model.seed = 21;
  DeltaNetConfig delta = CommonDeltaNet();
  delta.key_sharing = KeySharing::kTiles;
  SetDeltaLayers(delta, model.config);
  model.config.layers.erase(model.config.layers.begin());
  AddPredictionLayer(model);
  return model;
}

// Each layer says what it is, and rows are whole K-quant blocks.
RandomModelOptions Qwen35MoeWide() {
  RandomModelOptions model;
  model.config = Common("qwen35moe");
  model.config.width = 256;
  model.config.expert_width = 256;
  model.seed = 4;
  DeltaNetConfig delta = CommonDeltaNet();
  delta.value_head_count = 4;
  delta.head_size = 64;
  delta.taps = 3;
  delta.key_sharing = KeySharing::kTiles;
  SetDeltaLayers(delta, model.config);
  model.config.layers[0].mixer.swap(model.config.layers[2].mixer);
  model.config.layers.resize(3);
  for (LayerConfig& layer : model.config.layers)
    if (auto* const attention = std::get_if<AttentionConfig>(&layer.mixer))
      attention->head_count = 8;
  return model;
}

RandomModelOptions Qwen35() {
  RandomModelOptions model;
  model.config = Common("qwen35");
  model.config.expert_count = 0;
  model.config.expert_used_count = 0;
  model.config.expert_width = 0;
  DeltaNetConfig delta = CommonDeltaNet();
  delta.key_sharing = KeySharing::kTiles;
  SetDeltaLayers(delta, model.config);
  return model;
}

RandomModelOptions Qwen3Next() {
  RandomModelOptions model;
  model.config = Common("qwen3next");
  model.seed = 5;
  DeltaNetConfig delta = CommonDeltaNet();
  delta.joined_rates = true;
  SetDeltaLayers(delta, model.config);
  return model;
}

// As older files have it: what goes into a delta net in one matrix.
RandomModelOptions Qwen3NextGrouped() {
  RandomModelOptions model = Qwen3Next();
  model.seed = 22;
  model.optional_roles = {TensorRole::kDeltaGroupedIn};
  model.seed = 22;
  model.config.layers.erase(model.config.layers.begin());
  return model;
}

// Heads share the width: some of llama.cpp's architectures know no others.
AttentionConfig SharedWidthAttention(std::uint32_t width) {
  AttentionConfig attention = CommonAttention();
  attention.head_size = width / attention.head_count;
  attention.rope.dimension_count = attention.head_size;
  return attention;
}

AttentionConfig Lfm2Attention(std::uint32_t width) {
  AttentionConfig attention = SharedWidthAttention(width);
  attention.qk_norm = QkNorm::kHead;
  return attention;
}

// Both kinds of layers with both kinds of feed-forwards.
RandomModelOptions Lfm2Moe() {
  RandomModelOptions model;
  model.config = Common("lfm2moe");
  model.seed = 4;
  const AttentionConfig attention = Lfm2Attention(model.config.width);
  const ShortConvolutionConfig convolution = {.taps = 3};
  for (std::uint32_t i = 0; i < 5; ++i) {
    LayerConfig& layer = model.config.layers.emplace_back();
    if (i % 2 == 0) {
      layer.mixer = convolution;
    } else {
      layer.mixer = attention;
    }
    if (i < 2) {
      layer.dense_width = 160;
    } else {
      layer.experts = SigmoidExperts();
    }
  }
  return model;
}

// Longer memory, tied output, attention first; rows of whole K-quant blocks.
RandomModelOptions Lfm2MoeLongConvolution() {
  RandomModelOptions model = Lfm2Moe();
  model.spread = TiedSpread;
  model.tied_output = true;
  model.seed = 7;
  model.config.width = 256;
  model.config.expert_width = 256;
  model.config.rms_epsilon = 0.03F;
  AttentionConfig attention = Lfm2Attention(model.config.width);
  attention.kv_head_count = 1;
  model.config.layers.resize(4);
  for (std::uint32_t i = 0; i < 4; ++i) {
    LayerConfig& layer = model.config.layers[i];
    layer.mixer = ShortConvolutionConfig{.taps = 5};
    if (i % 3 == 0) layer.mixer = attention;
    if (i < 2) layer.dense_width = 256;
  }
  return model;
}

RandomModelOptions Lfm2() {
  RandomModelOptions model = WithoutExperts(Lfm2Moe(), 160);
  model.config.architecture = "lfm2";
  model.config.layers.resize(4);
  return model;
}

RandomModelOptions Qwen2Moe() {
  RandomModelOptions model;
  model.config = Common("qwen2moe");
  model.seed = 8;
  LayerConfig layer;
  layer.mixer = SharedWidthAttention(model.config.width);
  layer.attention().biases = true;
  layer.experts.emplace();
  layer.dense_width = 160;
  layer.dense_gate = true;
  model.config.layers.assign(kLayerCount, layer);
  return model;
}

RandomModelOptions Qwen2MoeYarn() {
  RandomModelOptions model = Qwen2Moe();
  model.seed = 9;
  model.config.width = 256;
  model.config.expert_width = 256;
  model.config.layers.resize(2);
  for (LayerConfig& layer : model.config.layers) {
    layer.dense_width = 512;
    layer.attention() = SharedWidthAttention(256);
    layer.attention().biases = true;
    layer.attention().rope = Yarn(layer.attention().rope);
  }
  return model;
}

RandomModelOptions Qwen3() {
  RandomModelOptions model = WithoutExperts(Qwen3Moe(), 160);
  model.config.architecture = "qwen3";
  model.seed = 10;
  return model;
}

RandomModelOptions Llama() {
  RandomModelOptions model = WithoutExperts(Qwen3Moe(), 160);
  model.config.architecture = "llama";
  model.seed = 11;
  for (LayerConfig& layer : model.config.layers) {
    layer.attention() = CommonAttention();
    layer.attention().rope.pairing = RopePairing::kNeighbours;
    layer.attention().rope.factors = true;
  }
  model.optional_roles = {TensorRole::kRopeFactors};
  return model;
}

// Logits at another size, for answers whose entropy is about half of a uniform one's.
template <int kPercent>
WeightSpread OutputSpread(TensorRole role, std::uint64_t columns) {
  WeightSpread spread = LivelySpread(role, columns);
  if (role == TensorRole::kOutput) spread.reach *= kPercent / 100.0;
  return spread;
}

// As Mixtral.
RandomModelOptions LlamaMoe() {
  RandomModelOptions model = Qwen3Moe();
  model.config.architecture = "llama";
  model.config.expert_used_count = 2;
  model.spread = OutputSpread<100>;
  model.seed = 16;
  for (LayerConfig& layer : model.config.layers) {
    layer.attention() = CommonAttention();
    layer.attention().rope.pairing = RopePairing::kNeighbours;
    layer.attention().rope.factors = true;
  }
  model.optional_roles = {TensorRole::kQueryBias, TensorRole::kKeyBias, TensorRole::kValueBias,
                          TensorRole::kAttentionOutputBias};
  return model;
}

RandomModelOptions LlamaMoeWide() {
  RandomModelOptions model = LlamaMoe();
  model.spread = TiedSpread;
  model.tied_output = true;
  model.optional_roles.clear();
  model.seed = 13;
  model.config.width = 256;
  model.config.expert_width = 256;
  for (LayerConfig& layer : model.config.layers) {
    layer.attention().rope.scaling = RopeScaling::kLinear;
    layer.attention().rope.factor = 2.5F;
  }
  return model;
}

RandomModelOptions MiniCpm() {
  RandomModelOptions model = LlamaMoe();
  model.config.architecture = "minicpm";
  model.optional_roles.clear();
  model.spread = OutputSpread<180>;
  model.seed = 14;
  model.config.rms_epsilon = 0.05F;
  model.config.embedding_scale = 1.5F;
  model.config.residual_scale = 0.6F;
  model.config.logit_scale = 0.5F;
  return model;
}

// As MiniCPM4 turns positions, in a context longer than the original one.
RandomModelOptions MiniCpmLong() {
  RandomModelOptions model = MiniCpm();
  model.seed = 31;
  for (LayerConfig& layer : model.config.layers) {
    RopeConfig& rope = layer.attention().rope;
    rope.scaling = RopeScaling::kLong;
    rope.factor = 1.25F;
    rope.original_context_length = 64;
    rope.attention_factor = 1.2F;
  }
  return model;
}

// Logits that are divided need larger ones, and scores that are multiplied, too.
WeightSpread ScaledSpread(TensorRole role, std::uint64_t columns) {
  WeightSpread spread = LivelySpread(role, columns);
  if (role == TensorRole::kEmbedding) spread.reach /= 4;
  if (role == TensorRole::kOutput) spread.reach *= 8;
  return spread;
}

WeightSpread TiedScaledSpread(TensorRole role, std::uint64_t columns) {
  return ScaledSpread(role == TensorRole::kEmbedding ? TensorRole::kOutput : role, columns);
}

void Scale(ModelConfig& config) {
  config.embedding_scale = 4;
  config.residual_scale = 0.5F;
  config.logit_scale = 0.125F;
}

AttentionConfig ScaledAttention() {
  AttentionConfig attention = CommonAttention();
  attention.score_scale = 0.25F;
  attention.rope.pairing = RopePairing::kNeighbours;
  return attention;
}

RandomModelOptions GraniteMoe() {
  RandomModelOptions model;
  model.config = Common("granitemoe");
  model.spread = ScaledSpread;
  model.seed = 10;
  Scale(model.config);
  LayerConfig layer;
  layer.mixer = ScaledAttention();
  layer.experts = ExpertsConfig{.normalise = true};
  model.config.layers.assign(kLayerCount, layer);
  return model;
}

// Rows of whole K-quant blocks.
RandomModelOptions GraniteMoeShared() {
  RandomModelOptions model = GraniteMoe();
  model.spread = TiedScaledSpread;
  model.tied_output = true;
  model.config.embedding_scale = 0.125F;
  model.config.logit_scale = 0.0625F;
  model.config.width = 256;
  model.config.expert_width = 256;
  model.config.layers.resize(2);
  for (LayerConfig& layer : model.config.layers) {
    layer.attention().head_count = 8;
    layer.dense_width = 256;
  }
  return model;
}

RandomModelOptions Granite() {
  RandomModelOptions model = GraniteMoe();
  model.config.architecture = "granite";
  model.config.expert_count = 0;
  model.config.expert_used_count = 0;
  model.config.expert_width = 0;
  for (LayerConfig& layer : model.config.layers) {
    layer.experts.reset();
    layer.attention().rope.dimension_count = 0;
    layer.dense_width = 160;
  }
  return model;
}

// llama.cpp has Granite's inner size as twice the width.
Mamba2Config Mamba(std::uint32_t width) {
  Mamba2Config mamba;
  mamba.taps = 4;
  mamba.head_count = 8;
  mamba.head_size = width / 4;
  mamba.state_size = 24;
  mamba.group_count = 2;
  return mamba;
}

// As published hybrids: what attention sees has no positions, and experts share one.
RandomModelOptions GraniteHybrid() {
  RandomModelOptions model = GraniteMoe();
  model.config.architecture = "granitehybrid";
  AttentionConfig attention = ScaledAttention();
  attention.rope.dimension_count = 0;
  for (std::uint32_t i = 0; i < kLayerCount; ++i) {
    LayerConfig& layer = model.config.layers[i];
    layer.mixer = attention;
    if (i != 1) layer.mixer = Mamba(model.config.width);
    layer.dense_width = 160;
  }
  return model;
}

// Attention first, with positions; one group, a shorter convolution; rows of whole K-quant blocks.
RandomModelOptions GraniteHybridRope() {
  RandomModelOptions model = GraniteMoeShared();
  model.config.architecture = "granitehybrid";
  Mamba2Config mamba = Mamba(model.config.width);
  mamba.taps = 3;
  mamba.group_count = 1;
  model.seed = 23;
  model.config.layers[1].mixer = mamba;
  for (LayerConfig& layer : model.config.layers) layer.dense_width = 0;
  return model;
}

RandomModelOptions GraniteHybridDense() {
  RandomModelOptions model = GraniteHybrid();
  model.config.expert_count = 0;
  model.config.expert_used_count = 0;
  model.config.expert_width = 0;
  for (LayerConfig& layer : model.config.layers) layer.experts.reset();
  return model;
}

LatentAttentionConfig CommonLatentAttention() {
  LatentAttentionConfig attention;
  attention.head_count = 4;
  attention.latent_size = 64;
  attention.unrotated_size = 32;
  attention.value_size = 24;
  attention.rope.dimension_count = 16;
  attention.rope.pairing = RopePairing::kNeighbours;
  attention.rope.base = 2000;
  return attention;
}

// Norms of latents undo much of what an epsilon does before.
ModelConfig DeepSeekCommon() {
  ModelConfig config = Common("deepseek2");
  config.rms_epsilon = 0.1F;
  return config;
}

// The first layer is dense; the others have experts, and shared ones beside them.
std::vector<LayerConfig> DeepSeekLayers(const LatentAttentionConfig& attention,
                                        const ExpertsConfig& experts, std::uint32_t shared_width) {
  std::vector<LayerConfig> layers(kLayerCount);
  for (LayerConfig& layer : layers) {
    layer.mixer = attention;
    layer.experts = experts;
    layer.dense_width = shared_width;
  }
  layers.front().experts.reset();
  layers.front().dense_width = 160;
  return layers;
}

// As V2-Lite is made.
RandomModelOptions DeepSeekLite() {
  RandomModelOptions model;
  model.config = DeepSeekCommon();
  model.seed = 6;
  LatentAttentionConfig attention = CommonLatentAttention();
  attention.rope = Yarn(attention.rope);
  attention.rope.growth = 0;
  attention.log_multiplier = 0.125F;
  model.config.layers = DeepSeekLayers(attention, {}, 2 * model.config.expert_width);
  return model;
}

// A bias that decides more than the scores do.
WeightSpread StrongBiasSpread(TensorRole role, std::uint64_t columns) {
  if (role == TensorRole::kSelectionBias) return {0, 1.5};
  return LivelySpread(role, columns);
}

// As GLM-4.7-Flash and V3 are made: queries from latents, a router with everything.
RandomModelOptions DeepSeekSigmoid() {
  RandomModelOptions model;
  model.config = DeepSeekCommon();
  model.spread = StrongBiasSpread;
  model.seed = 12;
  LatentAttentionConfig attention = CommonLatentAttention();
  attention.query_latent_size = 96;
  ExpertsConfig experts = SigmoidExperts();
  experts.group_count = 4;
  experts.group_used_count = 2;
  experts.weights_scale = 1.75F;
  model.config.layers = DeepSeekLayers(attention, experts, model.config.expert_width);
  return model;
}

// Rows of whole K-quant blocks; YaRN without a multiplier.
RandomModelOptions DeepSeekYarn() {
  RandomModelOptions model = DeepSeekLite();
  model.seed = 8;
  model.config.width = 256;
  model.config.expert_width = 256;
  LatentAttentionConfig attention = CommonLatentAttention();
  attention.query_latent_size = 256;
  attention.latent_size = 256;
  attention.value_size = 64;
  attention.rope = Yarn(attention.rope);
  attention.rope.attention_factor = 0.8F;
  model.config.layers = DeepSeekLayers(attention, {}, model.config.expert_width);
  model.config.layers.front().dense_width = 256;
  return model;
}

// Files before 2025 have keys and values in one matrix.
RandomModelOptions DeepSeekJoined() {
  RandomModelOptions model = DeepSeekLite();
  model.seed = 10;
  for (LayerConfig& layer : model.config.layers)
    std::get<LatentAttentionConfig>(layer.mixer).joined_up = true;
  return model;
}

// The matrices of latent attention that packs leave as they are, as files have them.
RandomModelOptions QuantisedLatent(RandomModelOptions model, TensorType type) {
  for (const RandomTensor& tensor : RandomModelTensors(model)) {
    if (tensor.role == TensorRole::kKeyUp) model.tensor_types[tensor.name] = TensorType::kQ8_0;
    if (tensor.role == TensorRole::kQueryUp || tensor.role == TensorRole::kValueUp)
      model.tensor_types[tensor.name] = type;
  }
  return model;
}

// llama.cpp multiplies keys by latents that are rounded to 8 bits, the engine queries that are not:
// one layer, so that this stays below what the test allows.
RandomModelOptions QuantisedJoined(RandomModelOptions model, TensorType type) {
  model.type_of = [](TensorRole) { return TensorType::kF32; };
  for (const RandomTensor& tensor : RandomModelTensors(model))
    if (tensor.role == TensorRole::kKeyValueUp) model.tensor_types = {{tensor.name, type}};
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
      {"lfm2moe", Lfm2Moe()},
      {"lfm2moe-Q8_0", Quantised(Lfm2Moe(), kQ8_0, kQ8_0, kQ8_0)},
      {"lfm2moe-long-convolution", Lfm2MoeLongConvolution()},
      {"lfm2moe-long-convolution-Q4_K", Quantised(Lfm2MoeLongConvolution(), kQ8_0, kQ4_K, kQ6_K)},
      {"lfm2", Lfm2()},
      {"lfm2-Q8_0", Quantised(Lfm2(), kQ8_0, kQ8_0, kQ8_0)},
      {"qwen2moe", Qwen2Moe()},
      {"qwen2moe-Q8_0", Quantised(Qwen2Moe(), kQ8_0, kQ8_0, kQ8_0)},
      {"qwen2moe-yarn", Qwen2MoeYarn()},
      {"qwen2moe-yarn-Q4_K", Quantised(Qwen2MoeYarn(), kQ8_0, kQ4_K, kQ6_K)},
      {"qwen3", Qwen3()},
      {"llama", Llama()},
      {"llama-moe", LlamaMoe()},
      {"llama-moe-Q8_0", Quantised(LlamaMoe(), kQ8_0, kQ8_0, kQ8_0)},
      {"llama-moe-wide", LlamaMoeWide()},
      {"llama-moe-wide-Q4_K", Quantised(LlamaMoeWide(), kQ8_0, kQ4_K, kQ6_K)},
      {"minicpm", MiniCpm()},
      {"minicpm-Q8_0", Quantised(MiniCpm(), kQ8_0, kQ8_0, kQ8_0)},
      {"minicpm-long", MiniCpmLong()},
      {"granitemoe", GraniteMoe()},
      {"granitemoe-Q8_0", Quantised(GraniteMoe(), kQ8_0, kQ8_0, kQ8_0)},
      {"granitemoe-shared", GraniteMoeShared()},
      {"granitemoe-shared-Q4_K", Quantised(GraniteMoeShared(), kQ8_0, kQ4_K, kQ6_K)},
      {"granite", Granite()},
      {"granite-Q8_0", Quantised(Granite(), kQ8_0, kQ8_0, kQ8_0)},
      {"granitehybrid", GraniteHybrid()},
      {"granitehybrid-Q8_0", Quantised(GraniteHybrid(), kQ8_0, kQ8_0, kQ8_0)},
      {"granitehybrid-rope", GraniteHybridRope()},
      {"granitehybrid-rope-Q4_K", Quantised(GraniteHybridRope(), kQ4_K, kQ4_K, kQ6_K)},
      {"granitehybrid-dense", GraniteHybridDense()},
      {"deepseek2", DeepSeekLite()},
      {"deepseek2-Q8_0", QuantisedLatent(Quantised(DeepSeekLite(), kQ8_0, kQ8_0, kQ8_0), kQ8_0)},
      {"deepseek2-sigmoid", DeepSeekSigmoid()},
      {"deepseek2-sigmoid-Q4_0",
       QuantisedLatent(Quantised(DeepSeekSigmoid(), kQ8_0, kQ4_0, kQ5_0), kQ8_0)},
      {"deepseek2-yarn", DeepSeekYarn()},
      {"deepseek2-yarn-Q4_K",
       QuantisedLatent(Quantised(DeepSeekYarn(), kQ4_K, kQ4_K, kQ6_K), kQ5_K)},
      {"deepseek2-joined", DeepSeekJoined()},
      {"deepseek2-joined-Q8_0", QuantisedJoined(DeepSeekJoined(), kQ8_0)},
      {"qwen35moe", Qwen35Moe()},
      {"qwen35moe-Q8_0", Quantised(Qwen35Moe(), kF16, kQ8_0, kQ8_0)},
      {"qwen35moe-wide", Qwen35MoeWide()},
      {"qwen35moe-wide-Q4_K", Quantised(Qwen35MoeWide(), kQ4_K, kQ4_K, kQ6_K)},
      {"qwen35", Qwen35()},
      {"qwen3next", Qwen3Next()},
      {"qwen3next-grouped", Qwen3NextGrouped()},
      {"qwen3next-grouped-Q8_0", Quantised(Qwen3NextGrouped(), kF16, kQ5_0, kQ8_0)},
      {"gpt-oss-MXFP4", Quantised(GptOss(), kQ8_0, kMXFP4, kMXFP4)},
  };
}

}  // namespace

const std::vector<Fixture>& Fixtures() {
  static const std::vector<Fixture> fixtures = All();
  return fixtures;
}

RandomModelOptions ForLlama(const RandomModelOptions& model) {
  const std::optional<ExpertsConfig>& experts = model.config.layers.back().experts;
  const float scale = experts ? experts->weights_scale : 1;
  if (scale == 1 || model.config.architecture == "deepseek2") return model;
  RandomModelOptions other = model;
  for (LayerConfig& layer : other.config.layers)
    if (layer.experts) layer.experts->weights_scale = 1;
  other.spread = [spread = model.spread, scale](TensorRole role, std::uint64_t columns) {
    WeightSpread of = spread(role, columns);
    if (role == TensorRole::kDown) of.reach *= static_cast<double>(scale);
    return of;
  };
  return other;
}

std::vector<const Fixture*> PlainFixtures(std::string_view architecture) {
  std::vector<const Fixture*> found;
  for (const Fixture& fixture : Fixtures()) {
    const RandomModelOptions& model = fixture.model;
    if ((architecture.empty() || model.config.architecture == architecture) && !model.type_of &&
        model.tensor_types.empty())
      found.push_back(&fixture);
  }
  return found;
}

const Fixture* FindFixture(std::string_view name) {
  const auto found = std::ranges::find(Fixtures(), name, &Fixture::name);
  return found == Fixtures().end() ? nullptr : &*found;
}

}  // namespace edgemoe
