// SPDX-License-Identifier: Apache-2.0
#include "tests/shapes/real_shapes.h"

#include <cmath>

#include "engine/base/accepted.h"

namespace edgemoe {
namespace {

RealShape Named(const char* name, const char* architecture) {
  RealShape shape;
  shape.name = name;
  shape.config.name = std::string(name) + "-random";
  shape.config.architecture = architecture;
  return shape;
}

AttentionConfig Attention(std::uint32_t heads, std::uint32_t kv_heads, std::uint32_t head_size,
                          float base) {
  AttentionConfig attention;
  attention.head_count = heads;
  attention.kv_head_count = kv_heads;
  attention.head_size = head_size;
  attention.rope.dimension_count = head_size;
  attention.rope.base = base;
  return attention;
}

RopeConfig Yarn(RopeConfig rope, float factor) {
  rope.scaling = RopeScaling::kYarn;
  rope.factor = factor;
  rope.original_context_length = 4096;
  return rope;
}

void SetSizes(ModelConfig& config, std::uint32_t width, std::uint32_t vocabulary,
              std::uint32_t context, float epsilon) {
  config.width = width;
  config.vocabulary_size = vocabulary;
  config.context_length = context;
  config.rms_epsilon = epsilon;
}

void SetExperts(ModelConfig& config, std::uint32_t count, std::uint32_t used, std::uint32_t width) {
  config.expert_count = count;
  config.expert_used_count = used;
  config.expert_width = width;
}

// Three layers of four are short convolutions, but closer at the end; the first two have no
// experts.
RealShape Lfm2Moe() {
  RealShape shape = Named("lfm2moe-8b-a1b", "lfm2moe");
  shape.tied_output = true;
  shape.pre_tokenizer = "lfm2";
  SetSizes(shape.config, 2048, 65536, 128000, 1e-5F);
  SetExperts(shape.config, 32, 4, 1792);
  AttentionConfig attention = Attention(32, 8, 64, 1e6F);
  attention.qk_norm = QkNorm::kHead;
  LayerConfig layer;
  layer.mixer = ShortConvolutionConfig{.taps = 3};
  layer.experts =
      ExpertsConfig{.gating = ExpertGating::kSigmoid, .selection_bias = true, .normalise = true};
  shape.config.layers.assign(24, layer);
  for (const std::uint32_t i : {2U, 6U, 10U, 14U, 18U, 21U})
    shape.config.layers[i].mixer = attention;
  for (const std::uint32_t i : {0U, 1U}) {
    shape.config.layers[i].experts.reset();
    shape.config.layers[i].dense_width = 7168;
  }
  return shape;
}

RealShape Olmoe() {
  RealShape shape = Named("olmoe-1b-7b", "olmoe");
  shape.pre_tokenizer = "olmo";
  SetSizes(shape.config, 2048, 50304, 4096, 1e-5F);
  SetExperts(shape.config, 64, 8, 1024);
  LayerConfig layer;
  layer.attention() = Attention(16, 16, 128, 1e4F);
  layer.attention().qk_norm = QkNorm::kRow;
  layer.experts.emplace();
  shape.config.layers.assign(16, layer);
  return shape;
}

RealShape GptOss() {
  RealShape shape = Named("gpt-oss-20b", "gpt-oss");
  shape.pre_tokenizer = "gpt-4o";
  shape.recipe = TypeRecipe::kMxfp4;
  SetSizes(shape.config, 2880, 201088, 131072, 1e-5F);
  SetExperts(shape.config, 32, 4, 2880);
  LayerConfig layer;
  layer.attention() = Attention(64, 8, 64, 150000);
  layer.attention().rope = Yarn(layer.attention().rope, 32);
  layer.attention().biases = true;
  layer.attention().output_bias = true;
  layer.attention().sinks = true;
  layer.experts =
      ExpertsConfig{.gating = ExpertGating::kSoftmaxOfChosen, .router_bias = true, .biases = true};
  layer.activation = Activation::kClampedSwiglu;
  shape.config.layers.assign(24, layer);
  for (std::uint32_t i = 0; i < 24; i += 2) shape.config.layers[i].attention().window = 128;
  return shape;
}

RealShape Qwen3Moe() {
  RealShape shape = Named("qwen3moe-30b-a3b", "qwen3moe");
  shape.pre_tokenizer = "qwen2";
  SetSizes(shape.config, 2048, 151936, 262144, 1e-6F);
  SetExperts(shape.config, 128, 8, 768);
  LayerConfig layer;
  layer.attention() = Attention(32, 4, 128, 1e7F);
  layer.attention().qk_norm = QkNorm::kHead;
  layer.experts = ExpertsConfig{.normalise = true};
  shape.config.layers.assign(48, layer);
  return shape;
}

// Each fourth layer is attention, the others are delta nets.
RealShape Qwen35Moe() {
  RealShape shape = Named("qwen35moe-35b-a3b", "qwen35moe");
  shape.pre_tokenizer = "qwen35";
  SetSizes(shape.config, 2048, 248320, 262144, 1e-6F);
  SetExperts(shape.config, 256, 8, 512);
  LayerConfig layer;
  layer.mixer = DeltaNetConfig{.key_head_count = 16,
                               .value_head_count = 32,
                               .head_size = 128,
                               .taps = 4,
                               .key_sharing = KeySharing::kTiles};
  layer.experts = ExpertsConfig{.normalise = true};
  layer.dense_width = 512;
  layer.dense_gate = true;
  shape.config.layers.assign(40, layer);
  AttentionConfig attention = Attention(16, 2, 256, 1e7F);
  attention.qk_norm = QkNorm::kHead;
  attention.output_gate = true;
  attention.rope.dimension_count = 64;
  for (std::uint32_t i = 3; i < 40; i += 4) shape.config.layers[i].mixer = attention;
  return shape;
}

// Each sixth layer sees all, with larger heads and keys for values.
RealShape Gemma4() {
  RealShape shape = Named("gemma4-26b-a4b", "gemma4");
  shape.tied_output = true;
  // In place of its own, which is no byte-level BPE: every shape has the vocabulary of the tests'
  // models with further words, which is one, so that the walk knows which tokens to answer with.
  shape.pre_tokenizer = "qwen2";
  shape.fused_experts = true;
  shape.optional_roles = {TensorRole::kRopeFactors, TensorRole::kLayerScale,
                          TensorRole::kExpertScale};
  SetSizes(shape.config, 2816, 262144, 262144, 1e-6F);
  SetExperts(shape.config, 128, 8, 704);
  shape.config.embedding_scale = std::sqrt(2816.0F);
  shape.config.logit_softcap = 30;
  AttentionConfig full = Attention(16, 2, 512, 1e6F);
  full.qk_norm = QkNorm::kHead;
  full.value_norm = true;
  full.score_scale = 1;
  full.rope.factors = true;
  AttentionConfig window = full;
  window.window = 1024;
  window.kv_head_count = 8;
  window.head_size = 256;
  window.rope = {.dimension_count = 256, .base = 10000};
  LayerConfig layer;
  layer.activation = Activation::kGeglu;
  layer.experts = ExpertsConfig{.normalise = true, .logit_scale = 1 / std::sqrt(2816.0F)};
  layer.dense_width = 2112;
  layer.branch_norms = true;
  shape.config.layers.assign(30, layer);
  for (std::uint32_t i = 0; i < 30; ++i) shape.config.layers[i].mixer = i % 6 == 5 ? full : window;
  return shape;
}

// The first layer is dense.
void SetDeepSeekLayers(ModelConfig& config, std::uint32_t count, const LayerConfig& layer,
                       std::uint32_t first_width) {
  config.layers.assign(count, layer);
  config.layers.front().experts.reset();
  config.layers.front().dense_width = first_width;
}

RealShape Glm47Flash() {
  RealShape shape = Named("glm-4.7-flash", "deepseek2");
  shape.pre_tokenizer = "glm4";
  shape.optional_roles = {TensorRole::kSelectionBias};
  SetSizes(shape.config, 2048, 154880, 202752, 1e-5F);
  SetExperts(shape.config, 64, 4, 1536);
  LatentAttentionConfig attention;
  attention.head_count = 20;
  attention.query_latent_size = 768;
  attention.latent_size = 512;
  attention.unrotated_size = 192;
  attention.value_size = 256;
  attention.rope.dimension_count = 64;
  attention.rope.pairing = RopePairing::kNeighbours;
  attention.rope.base = 1e6F;
  LayerConfig layer;
  layer.mixer = attention;
  layer.experts = ExpertsConfig{.gating = ExpertGating::kSigmoid,
                                .selection_bias = true,
                                .normalise = true,
                                .weights_scale = 1.8F};
  layer.dense_width = 1536;
  SetDeepSeekLayers(shape.config, 47, layer, 10240);
  return shape;
}

RealShape DeepSeekV2Lite() {
  RealShape shape = Named("deepseek-v2-lite", "deepseek2");
  shape.pre_tokenizer = "deepseek-llm";
  SetSizes(shape.config, 2048, 102400, 163840, 1e-6F);
  SetExperts(shape.config, 64, 6, 1408);
  LatentAttentionConfig attention;
  attention.head_count = 16;
  attention.latent_size = 512;
  attention.unrotated_size = 128;
  attention.value_size = 128;
  attention.rope.dimension_count = 64;
  attention.rope.pairing = RopePairing::kNeighbours;
  attention.rope = Yarn(attention.rope, 40);
  attention.rope.growth = 0;
  attention.log_multiplier = 0.0707F;
  LayerConfig layer;
  layer.mixer = attention;
  layer.experts.emplace().selection_bias = true;
  layer.dense_width = 2 * 1408;
  SetDeepSeekLayers(shape.config, 27, layer, 10944);
  return shape;
}

// Four layers of forty are attention, without positions.
void SetGraniteLayers(ModelConfig& config, AttentionConfig attention, std::uint32_t mamba_heads,
                      std::uint32_t shared_width) {
  LayerConfig layer;
  layer.mixer = Mamba2Config{
      .taps = 4, .head_count = mamba_heads, .head_size = 64, .state_size = 128, .group_count = 1};
  layer.experts = ExpertsConfig{.normalise = true};
  layer.dense_width = shared_width;
  config.layers.assign(40, layer);
  attention.score_scale = 0.0078125F;
  attention.rope.dimension_count = 0;
  attention.rope.pairing = RopePairing::kNeighbours;
  for (std::uint32_t i = 5; i < 40; i += 10) config.layers[i].mixer = attention;
  config.embedding_scale = 12;
  config.residual_scale = 0.22F;
}

RealShape GraniteTiny() {
  RealShape shape = Named("granite-4.0-h-tiny", "granitehybrid");
  shape.tied_output = true;
  shape.pre_tokenizer = "dbrx";
  SetSizes(shape.config, 1536, 100352, 131072, 1e-5F);
  SetExperts(shape.config, 64, 6, 512);
  SetGraniteLayers(shape.config, Attention(12, 4, 128, 1e4F), 48, 1024);
  shape.config.logit_scale = 1 / 6.0F;
  return shape;
}

RealShape GraniteSmall() {
  RealShape shape = Named("granite-4.0-h-small", "granitehybrid");
  shape.tied_output = true;
  shape.pre_tokenizer = "dbrx";
  SetSizes(shape.config, 4096, 100352, 131072, 1e-5F);
  SetExperts(shape.config, 72, 10, 768);
  SetGraniteLayers(shape.config, Attention(32, 8, 128, 1e4F), 128, 1536);
  shape.config.logit_scale = 1 / 16.0F;
  return shape;
}

}  // namespace

const std::vector<RealShape>& RealShapes() {
  static const std::vector<RealShape> kShapes = {
      Lfm2Moe(), Olmoe(),      GptOss(),         Qwen3Moe(),    Qwen35Moe(),
      Gemma4(),  Glm47Flash(), DeepSeekV2Lite(), GraniteTiny(), GraniteSmall()};
  return kShapes;
}

const RealShape* FindRealShape(std::string_view name) {
  for (const RealShape& shape : RealShapes())
    if (shape.name == name) return &shape;
  return nullptr;
}

std::string RealShapeNames() {
  std::vector<std::string_view> names;
  for (const RealShape& shape : RealShapes()) names.push_back(shape.name);
  return AcceptedNames(names);
}

std::uint32_t LeastLayers(const RealShape& shape) {
  bool attends = false;
  bool has_experts = false;
  std::uint32_t count = 0;
  while (!attends || !has_experts) {
    const LayerConfig& layer = shape.config.layers[count++];
    attends = attends || layer.mixer_as<AttentionConfig>() != nullptr ||
              layer.mixer_as<LatentAttentionConfig>() != nullptr;
    has_experts = has_experts || layer.experts.has_value();
  }
  return count;
}

}  // namespace edgemoe
