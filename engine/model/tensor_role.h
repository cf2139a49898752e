// SPDX-License-Identifier: Apache-2.0
//
// What a tensor is to the model. Loading, packs, calibration and quality find tensors by role and
// layer; only engine/model/arch knows what a file calls them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/model/model_config.h"

namespace edgemoe {

enum class TensorRole : std::uint8_t {
  // Of the whole model.
  kEmbedding,
  kOutputNorm,
  kOutput,
  kRopeFactors,
  kRopeShortFactors,  // of RopeScaling::kLongRope
  kRopeLongFactors,
  // Of a layer.
  kAttentionNorm,
  kQuery,
  kQueryBias,
  kQueryNorm,
  kKey,
  kKeyBias,
  kKeyNorm,
  kValue,
  kValueBias,
  kSinks,
  kAttentionOutput,
  kAttentionOutputBias,
  kAttentionPostNorm,  // of what attention adds to x
  kQueryDown,          // of latent attention: from x to the latents, and from these to all heads
  kQueryDownNorm,
  kQueryUp,
  kKeyValueDown,  // gives the rotated key, too
  kKeyValueDownNorm,
  kKeyUp,
  kValueUp,
  kKeyValueUp,  // the two in one
  kConvolutionIn,
  kConvolutionKernel,
  kConvolutionOut,
  kMambaIn,
  kMambaKernel,
  kMambaKernelBias,
  kMambaStepBias,
  kMambaDecay,  // the logarithm of what a state keeps in a step of 1: negative
  kMambaSkip,
  kMambaNorm,
  kMambaOut,
  kDeltaIn,           // queries, keys and values of all heads
  kDeltaGate,         // of the output of all value heads
  kDeltaGroupedIn,    // both, key head by key head: its query, key, values and gates
  kDeltaRate,         // what rates come from
  kDeltaDecay,        // what decays come from
  kDeltaRatesDecays,  // both; see DeltaNetConfig::joined_rates
  kDeltaKernel,
  kDeltaDecayBias,
  kDeltaDecayScale,
  kDeltaNorm,
  kDeltaOut,
  kFeedForwardNorm,  // before all of it or, where branches have norms of their own, the dense one
  kFeedForwardPostNorm,  // of what the feed-forward adds to x
  kExpertsNorm,          // where branches have norms of their own, as the next three
  kExpertsPostNorm,
  kDensePostNorm,
  kRouterNorm,
  kRouter,
  kRouterBias,
  kSelectionBias,
  kExpertScale,  // of each expert's weight
  kGateBias,     // of all experts of a layer, as the next two
  kUpBias,
  kDownBias,
  kDenseGate,
  kDenseUp,
  kDenseDown,
  kDenseOutputGate,
  kLayerScale,  // of x behind the layer
  // Of one expert. These stay on storage.
  kGate,
  kUp,
  kDown,
};
constexpr std::size_t kTensorRoleCount = 70;

// "embedding", "attention_output", "gate" ... as reports and messages show it.
const char* TensorRoleName(TensorRole role);

constexpr bool IsOfExpert(TensorRole role) { return role >= TensorRole::kGate; }
// Norms, biases, sinks and what else is small: kept as float in memory whatever their type in the
// file, and never requantised.
bool IsFloatVector(TensorRole role);
// Embedding, output, projections and the experts' matrices: what packs may requantise. Routers are
// small and decide too much.
bool IsRequantisable(TensorRole role);

// [rows, columns]; of an expert's role the shape of one expert's matrix. Vectors have one row;
// the experts' biases have a row for each expert. `matrices` of a dense tensor stand one behind the
// other, one a head.
struct TensorShape {
  std::uint64_t rows = 0;
  std::uint64_t columns = 0;
  std::uint64_t matrices = 1;
};
// `layer` is not looked at for roles of the whole model.
TensorShape ShapeOf(TensorRole role, const ModelConfig& config, const LayerConfig& layer);

}  // namespace edgemoe
