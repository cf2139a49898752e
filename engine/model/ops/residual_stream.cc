// SPDX-License-Identifier: Apache-2.0
#include "engine/model/ops/residual_stream.h"

namespace edgemoe {

void NormRows(const OpContext& context, const float* x, const float* norm, std::size_t row_count,
              float* normed) {
  const std::size_t width = context.config.width;
  context.pool.ParallelFor(row_count, [&](std::size_t i, std::size_t) {
    context.kernels.rms_norm(x + i * width, norm, width, context.config.rms_epsilon,
                             normed + i * width);
  });
}

DeltaWeights MixerDelta(const LayerWeights& weights) {
  return {.post_norm = weights.floats(TensorRole::kAttentionPostNorm)};
}

DeltaWeights FeedForwardDelta(const LayerWeights& weights) {
  return {.post_norm = weights.floats(TensorRole::kFeedForwardPostNorm),
          .scale = weights.floats(TensorRole::kLayerScale)};
}

void AddDelta(const OpContext& context, const DeltaWeights& weights, std::size_t row_count) {
  const std::size_t width = context.config.width;
  context.pool.ParallelFor(row_count, [&](std::size_t i, std::size_t) {
    float* const delta = context.workspace.delta + i * width;
    float* const x = context.workspace.x + i * width;
    if (weights.post_norm != nullptr)
      context.kernels.rms_norm(delta, weights.post_norm, width, context.config.rms_epsilon, delta);
    context.kernels.add_scaled(delta, context.config.residual_scale, width, x);
    if (weights.scale == nullptr) return;
    for (std::size_t c = 0; c < width; ++c) x[c] *= *weights.scale;
  });
}

}  // namespace edgemoe
