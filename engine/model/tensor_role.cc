// SPDX-License-Identifier: Apache-2.0
#include "engine/model/tensor_role.h"

#include <array>

#include "engine/base/check.h"

namespace edgemoe {

namespace {

constexpr std::array<const char*, kTensorRoleCount> kNames = {"embedding",
                                                              "output_norm",
                                                              "output",
                                                              "rope_factors",
                                                              "rope_short_factors",
                                                              "rope_long_factors",
                                                              "attention_norm",
                                                              "query",
                                                              "query_bias",
                                                              "query_norm",
                                                              "key",
                                                              "key_bias",
                                                              "key_norm",
                                                              "value",
                                                              "value_bias",
                                                              "sinks",
                                                              "attention_output",
                                                              "attention_output_bias",
                                                              "attention_post_norm",
                                                              "query_down",
                                                              "query_down_norm",
                                                              "query_up",
                                                              "key_value_down",
                                                              "key_value_down_norm",
                                                              "key_up",
                                                              "value_up",
                                                              "key_value_up",
                                                              "convolution_in",
                                                              "convolution_kernel",
                                                              "convolution_out",
                                                              "mamba_in",
                                                              "mamba_kernel",
                                                              "mamba_kernel_bias",
                                                              "mamba_step_bias",
                                                              "mamba_decay",
                                                              "mamba_skip",
                                                              "mamba_norm",
                                                              "mamba_out",
                                                              "delta_in",
                                                              "delta_gate",
                                                              "delta_grouped_in",
                                                              "delta_rate",
                                                              "delta_decay",
                                                              "delta_rates_decays",
                                                              "delta_kernel",
                                                              "delta_decay_bias",
                                                              "delta_decay_scale",
                                                              "delta_norm",
                                                              "delta_out",
                                                              "ffn_norm",
                                                              "ffn_post_norm",
                                                              "experts_norm",
                                                              "experts_post_norm",
                                                              "dense_post_norm",
                                                              "router_norm",
                                                              "router",
                                                              "router_bias",
                                                              "selection_bias",
                                                              "expert_scale",
                                                              "gate_bias",
                                                              "up_bias",
                                                              "down_bias",
                                                              "dense_gate",
                                                              "dense_up",
                                                              "dense_down",
                                                              "dense_output_gate",
                                                              "layer_scale",
                                                              "gate",
                                                              "up",
                                                              "down"};

}  // namespace

const char* TensorRoleName(TensorRole role) { return kNames[static_cast<std::size_t>(role)]; }

bool IsFloatVector(TensorRole role) {
  switch (role) {
    case TensorRole::kOutputNorm:
    case TensorRole::kRopeFactors:
    case TensorRole::kRopeShortFactors:
    case TensorRole::kRopeLongFactors:
    case TensorRole::kAttentionNorm:
    case TensorRole::kQueryBias:
    case TensorRole::kQueryNorm:
    case TensorRole::kKeyBias:
    case TensorRole::kKeyNorm:
    case TensorRole::kValueBias:
    case TensorRole::kSinks:
    case TensorRole::kAttentionOutputBias:
    case TensorRole::kAttentionPostNorm:
    case TensorRole::kQueryDownNorm:
    case TensorRole::kKeyValueDownNorm:
    case TensorRole::kFeedForwardNorm:
    case TensorRole::kFeedForwardPostNorm:
    case TensorRole::kExpertsNorm:
    case TensorRole::kExpertsPostNorm:
    case TensorRole::kDensePostNorm:
    case TensorRole::kRouterNorm:
    case TensorRole::kExpertScale:
    case TensorRole::kLayerScale:
    case TensorRole::kConvolutionKernel:
    case TensorRole::kMambaKernel:
    case TensorRole::kMambaKernelBias:
    case TensorRole::kMambaStepBias:
    case TensorRole::kMambaDecay:
    case TensorRole::kMambaSkip:
    case TensorRole::kMambaNorm:
    case TensorRole::kDeltaKernel:
    case TensorRole::kDeltaDecayBias:
    case TensorRole::kDeltaDecayScale:
    case TensorRole::kDeltaNorm:
    case TensorRole::kRouterBias:
    case TensorRole::kSelectionBias:
    case TensorRole::kDenseOutputGate:
    case TensorRole::kGateBias:
    case TensorRole::kUpBias:
    case TensorRole::kDownBias: return true;
    default: return false;
  }
}

bool IsRequantisable(TensorRole role) {
  switch (role) {
    case TensorRole::kEmbedding:
    case TensorRole::kOutput:
    case TensorRole::kQuery:
    case TensorRole::kKey:
    case TensorRole::kValue:
    case TensorRole::kAttentionOutput:
    case TensorRole::kConvolutionIn:
    case TensorRole::kConvolutionOut:
    case TensorRole::kMambaIn:
    case TensorRole::kMambaOut:
    case TensorRole::kDeltaIn:
    case TensorRole::kDeltaGate:
    case TensorRole::kDeltaGroupedIn:
    case TensorRole::kDeltaOut:
    case TensorRole::kQueryDown:
    case TensorRole::kQueryUp:
    case TensorRole::kKeyValueDown:
    case TensorRole::kDenseGate:
    case TensorRole::kDenseUp:
    case TensorRole::kDenseDown:
    case TensorRole::kGate:
    case TensorRole::kUp:
    case TensorRole::kDown: return true;
    default: return false;
  }
}

namespace {

bool IsWithin(TensorRole role, TensorRole first, TensorRole last) {
  return role >= first && role <= last;
}

TensorShape MambaShapeOf(TensorRole role, std::uint64_t width, const Mamba2Config& mamba) {
  switch (role) {
    case TensorRole::kMambaIn: return {mamba.in_size(), width};
    case TensorRole::kMambaKernel: return {mamba.channels(), mamba.taps};
    case TensorRole::kMambaKernelBias: return {1, mamba.channels()};
    case TensorRole::kMambaStepBias: return {1, mamba.head_count};
    case TensorRole::kMambaDecay:
    case TensorRole::kMambaSkip: return {mamba.head_count, 1};
    case TensorRole::kMambaNorm: return {mamba.group_count, mamba.inner_size() / mamba.group_count};
    default: return {width, mamba.inner_size()};  // kMambaOut
  }
}

TensorShape LatentShapeOf(TensorRole role, std::uint64_t width, const LatentAttentionConfig& own) {
  const std::uint64_t heads = own.head_count;
  switch (role) {
    case TensorRole::kQuery: return {heads * own.query_size(), width};
    case TensorRole::kQueryDown: return {own.query_latent_size, width};
    case TensorRole::kQueryDownNorm: return {1, own.query_latent_size};
    case TensorRole::kQueryUp: return {heads * own.query_size(), own.query_latent_size};
    case TensorRole::kKeyValueDown: return {own.key_size(), width};
    case TensorRole::kKeyValueDownNorm: return {1, own.latent_size};
    case TensorRole::kKeyUp: return {own.latent_size, own.unrotated_size, heads};
    case TensorRole::kValueUp: return {own.value_size, own.latent_size, heads};
    case TensorRole::kKeyValueUp:
      return {heads * (own.unrotated_size + own.value_size), own.latent_size};
    case TensorRole::kAttentionOutput: return {width, own.values_size()};
    default: EDGEMOE_CHECK(false, "not a tensor of latent attention");
  }
}

bool IsOfLatentAttention(TensorRole role) {
  return role == TensorRole::kQuery || role == TensorRole::kAttentionOutput ||
         IsWithin(role, TensorRole::kQueryDown, TensorRole::kKeyValueUp);
}

TensorShape DeltaShapeOf(TensorRole role, std::uint64_t width, const DeltaNetConfig& delta) {
  switch (role) {
    case TensorRole::kDeltaIn: return {delta.channels(), width};
    case TensorRole::kDeltaGate: return {delta.value_size(), width};
    case TensorRole::kDeltaGroupedIn: return {delta.channels() + delta.value_size(), width};
    case TensorRole::kDeltaRate:
    case TensorRole::kDeltaDecay: return {delta.value_head_count, width};
    case TensorRole::kDeltaRatesDecays: return {2 * delta.value_head_count, width};
    case TensorRole::kDeltaKernel: return {delta.channels(), delta.taps};
    case TensorRole::kDeltaDecayBias:
    case TensorRole::kDeltaDecayScale: return {1, delta.value_head_count};
    case TensorRole::kDeltaNorm: return {1, delta.head_size};
    default: return {width, delta.value_size()};  // kDeltaOut
  }
}

// Of the roles that belong to what joins positions.
TensorShape MixerShapeOf(TensorRole role, std::uint64_t width, const LayerConfig& layer) {
  const auto* const latent = layer.mixer_as<LatentAttentionConfig>();
  if (latent != nullptr && IsOfLatentAttention(role)) return LatentShapeOf(role, width, *latent);
  if (IsWithin(role, TensorRole::kMambaIn, TensorRole::kMambaOut))
    return MambaShapeOf(role, width, *layer.mixer_as<Mamba2Config>());
  if (IsWithin(role, TensorRole::kDeltaIn, TensorRole::kDeltaOut))
    return DeltaShapeOf(role, width, *layer.mixer_as<DeltaNetConfig>());
  static const AttentionConfig kNoAttention;
  const auto* const own = layer.mixer_as<AttentionConfig>();
  const AttentionConfig& attention = own == nullptr ? kNoAttention : *own;
  const bool row_norm = attention.qk_norm == QkNorm::kRow;
  switch (role) {
    case TensorRole::kAttentionNorm:
    case TensorRole::kAttentionPostNorm:
    case TensorRole::kAttentionOutputBias: return {1, width};
    case TensorRole::kQuery: return {attention.q_rows(), width};
    case TensorRole::kKey:
    case TensorRole::kValue: return {attention.kv_size(), width};
    case TensorRole::kQueryBias: return {1, attention.q_rows()};
    case TensorRole::kKeyBias:
    case TensorRole::kValueBias: return {1, attention.kv_size()};
    case TensorRole::kQueryNorm: return {1, row_norm ? attention.q_size() : attention.head_size};
    case TensorRole::kKeyNorm: return {1, row_norm ? attention.kv_size() : attention.head_size};
    case TensorRole::kSinks: return {1, attention.head_count};
    case TensorRole::kAttentionOutput: return {width, attention.q_size()};
    case TensorRole::kConvolutionIn: return {3 * width, width};
    case TensorRole::kConvolutionKernel:
      return {width, layer.mixer_as<ShortConvolutionConfig>()->taps};
    case TensorRole::kConvolutionOut: return {width, width};
    default: EDGEMOE_CHECK(false, "every role has a shape");
  }
}

}  // namespace

TensorShape ShapeOf(TensorRole role, const ModelConfig& config, const LayerConfig& layer) {
  const std::uint64_t width = config.width;
  switch (role) {
    case TensorRole::kEmbedding:
    case TensorRole::kOutput: return {config.vocabulary_size, width};
    case TensorRole::kRopeFactors:
    case TensorRole::kRopeShortFactors:
    case TensorRole::kRopeLongFactors: return {1, config.rope_factor_count()};
    case TensorRole::kOutputNorm:
    case TensorRole::kFeedForwardNorm:
    case TensorRole::kFeedForwardPostNorm:
    case TensorRole::kExpertsNorm:
    case TensorRole::kExpertsPostNorm:
    case TensorRole::kDensePostNorm:
    case TensorRole::kRouterNorm: return {1, width};
    case TensorRole::kLayerScale: return {1, 1};
    case TensorRole::kRouter: return {config.expert_count, width};
    case TensorRole::kRouterBias:
    case TensorRole::kSelectionBias:
    case TensorRole::kExpertScale: return {1, config.expert_count};
    case TensorRole::kDenseOutputGate: return {1, width};
    case TensorRole::kGateBias:
    case TensorRole::kUpBias: return {config.expert_count, config.expert_width};
    case TensorRole::kDownBias: return {config.expert_count, width};
    case TensorRole::kDenseGate:
    case TensorRole::kDenseUp: return {layer.dense_width, width};
    case TensorRole::kDenseDown: return {width, layer.dense_width};
    case TensorRole::kGate:
    case TensorRole::kUp: return {config.expert_width, width};
    case TensorRole::kDown: return {width, config.expert_width};
    default: return MixerShapeOf(role, width, layer);
  }
}

}  // namespace edgemoe
