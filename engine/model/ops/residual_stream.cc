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

void AddDelta(const OpContext& context, const float* post_norm, std::size_t row_count) {
  const std::size_t width = context.config.width;
  context.pool.ParallelFor(row_count, [&](std::size_t i, std::size_t) {
    float* const delta = context.workspace.delta + i * width;
    if (post_norm != nullptr)
      context.kernels.rms_norm(delta, post_norm, width, context.config.rms_epsilon, delta);
    context.kernels.add_scaled(delta, context.config.residual_scale, width,
                               context.workspace.x + i * width);
  });
}

}  // namespace edgemoe
