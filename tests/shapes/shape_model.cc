// SPDX-License-Identifier: Apache-2.0
#include "tests/shapes/shape_model.h"

#include <cmath>
#include <memory>
#include <utility>

#include "engine/base/check.h"

namespace edgemoe {
namespace {

// What a layer's additions to the residual stream come to, all layers together, beside an embedding
// of mean square 1. Less, and every layer's router would see the same; more, and the stream would
// forget its token.
constexpr double kAddedGain = 1;
constexpr std::uint32_t kDistinctBlocks = 512;

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
