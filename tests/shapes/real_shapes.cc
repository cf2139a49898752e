// SPDX-License-Identifier: Apache-2.0
#include "tests/shapes/real_shapes.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "engine/base/accepted.h"
#include "engine/base/check.h"

namespace edgemoe {
namespace {

// What a layer's additions to the residual stream come to, all layers together, beside an embedding
// of mean square 1. Less, and every layer's router would see the same; more, and the stream would
// forget its token.
constexpr double kAddedGain = 1;
constexpr std::uint32_t kDistinctBlocks = 512;

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

// LivelySpread, but for what must be even in a deep model: norms, biases, and what each layer adds.
WeightSpread SteadySpread(TensorRole role, std::uint64_t columns, const ModelConfig& config) {
  switch (role) {
    case TensorRole::kEmbedding: return {0, std::sqrt(3.0) / double{config.embedding_scale}};
    case TensorRole::kRouter: {
      const double gain = 1.5 / double{config.layers.back().experts->logit_scale};
      return {0, gain * std::sqrt(3.0 / static_cast<double>(columns))};
    }
    // Where what is added is normed, it is as large as these say.
    case TensorRole::kAttentionPostNorm:
    case TensorRole::kFeedForwardPostNorm: {
      const double size = kAddedGain / std::sqrt(2.0 * config.layer_count());
      return {size, 0.1 * size};
    }
    case TensorRole::kLayerScale: return {1, 0};
    case TensorRole::kAttentionOutput:
    case TensorRole::kConvolutionOut:
    case TensorRole::kMambaOut:
    case TensorRole::kDeltaOut:
    case TensorRole::kDenseDown:
    case TensorRole::kDown: {
      const double gain =
          kAddedGain / (std::sqrt(2.0 * config.layer_count()) * double{config.residual_scale});
      return {0, gain * std::sqrt(3.0 / static_cast<double>(columns))};
    }
    case TensorRole::kOutputNorm:
    case TensorRole::kAttentionNorm:
    case TensorRole::kFeedForwardNorm:
    case TensorRole::kQueryNorm:
    case TensorRole::kKeyNorm:
    case TensorRole::kQueryDownNorm:
    case TensorRole::kKeyValueDownNorm:
    case TensorRole::kExpertsNorm:
    case TensorRole::kExpertsPostNorm:
    case TensorRole::kDensePostNorm:
    case TensorRole::kRouterNorm:
    case TensorRole::kExpertScale: return {1, 0.1};
    case TensorRole::kQueryBias:
    case TensorRole::kKeyBias:
    case TensorRole::kValueBias:
    case TensorRole::kGateBias:
    case TensorRole::kUpBias:
    case TensorRole::kRouterBias: return {0, 0.1};
    case TensorRole::kSelectionBias:
    case TensorRole::kAttentionOutputBias:
    case TensorRole::kDownBias: return {0, 0.02};
    default: return LivelySpread(role, columns);
  }
}

// Logits that are capped must not all reach the cap: the largest comes to two thirds of it.
double OutputScale(const ModelConfig& config) {
  if (config.logit_softcap == 0) return 1;
  return double{config.logit_softcap} * double{config.embedding_scale} / (1.5 * config.width);
}

// The rows of embedding and output.
class WalkedTensors {
 public:
  WalkedTensors(TokenWalk walk, const RandomModelOptions& model) : walk_(std::move(walk)) {
    for (const RandomTensor& tensor : RandomModelTensors(model)) {
      if (tensor.role == TensorRole::kEmbedding)
        embedding_.emplace(walk_, model.config.width, tensor.type, WalkRows::Of::kEmbedding);
      if (tensor.role == TensorRole::kOutput)
        output_.emplace(walk_, model.config.width, tensor.type, WalkRows::Of::kOutput);
    }
  }
  WalkedTensors(const WalkedTensors&) = delete;
  WalkedTensors& operator=(const WalkedTensors&) = delete;

  bool Make(const RandomTensor& tensor, std::uint64_t row, std::span<std::byte> packed) {
    const TokenId token{static_cast<std::int32_t>(row)};
    if (tensor.role == TensorRole::kEmbedding) {
      embedding_->Make(token, packed);
    } else if (tensor.role == TensorRole::kOutput) {
      output_->Make(token, packed);
    } else {
      return false;
    }
    return true;
  }

 private:
  const TokenWalk walk_;
  std::optional<WalkRows> embedding_;
  std::optional<WalkRows> output_;
};

// The first `layers`, all where 0.
ModelConfig Shortened(const RealShape& shape, std::uint32_t layers) {
  ModelConfig config = shape.config;
  if (layers > 0) config.layers.resize(layers);
  return config;
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

TokenWalk WalkOf(const RealShape& shape, const ShapeFileOptions& options) {
  return TokenWalk(
      {.vocabulary_size = shape.config.vocabulary_size,
       .width = shape.config.width,
       .outside = {TokenId{kTinyEndOfText}, TokenId{kTinyImStart}, TokenId{kTinyImEnd}},
       .topic_share = options.topic_share,
       .root_mean_square = 1 / double{shape.config.embedding_scale},
       .output_scale = OutputScale(shape.config),
       .seed = options.seed});
}

RandomModelOptions ShapeModel(const RealShape& shape, const ShapeFileOptions& options) {
  EDGEMOE_CHECK(options.layers == 0 || (options.layers >= LeastLayers(shape) &&
                                        options.layers <= shape.config.layer_count()),
                "layers that the shape has");
  EDGEMOE_CHECK(!options.tied || shape.tied_output, "tied where it is published so");
  RandomModelOptions model;
  model.config = Shortened(shape, options.layers);
  model.seed = options.seed;
  model.tied_output = options.tied;
  model.optional_roles = shape.optional_roles;
  model.fused_experts = shape.fused_experts;
  model.spread = [config = model.config](TensorRole role, std::uint64_t columns) {
    return SteadySpread(role, columns, config);
  };
  model.distinct_blocks = kDistinctBlocks;
  model.changed_keys["tokenizer.ggml.pre"] = GgufValue(shape.pre_tokenizer);
  ApplyTypeRecipe(options.recipe.value_or(shape.recipe), model);
  const auto rows = std::make_shared<WalkedTensors>(WalkOf(shape, options), model);
  model.given_row = [rows](const RandomTensor& tensor, std::uint64_t row,
                           std::span<std::byte> packed) { return rows->Make(tensor, row, packed); };
  return model;
}

}  // namespace edgemoe
