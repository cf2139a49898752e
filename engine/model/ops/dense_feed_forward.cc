// SPDX-License-Identifier: Apache-2.0
#include "engine/model/ops/dense_feed_forward.h"

#include <array>
#include <cmath>

#include "engine/model/ops/projection.h"

namespace edgemoe {

DenseFeedForward::DenseFeedForward(const OpContext& context)
    : context_(context),
      encoded_x_(context.kernels, context.pool, context.workspace.encoded_width, context.rows_max,
                 context.config.width),
      encoded_hidden_(context.kernels, context.pool, context.workspace.encoded_dense,
                      context.rows_max, context.config.dense_width_max()) {}

void DenseFeedForward::Run(LayerIndex layer, const LayerWeights& weights, const ActiveRows& rows) {
  Workspace& w = context_.workspace;
  const std::size_t width = context_.config.width;
  const float* const norm = weights.floats(TensorRole::kFeedForwardNorm);
  context_.pool.ParallelFor(rows.count(), [&](std::size_t i, std::size_t) {
    context_.kernels.rms_norm(w.x + i * width, norm, width, context_.config.rms_epsilon,
                              w.normed + i * width);
  });
  if (context_.observer != nullptr) {
    context_.observer->OnDense(DenseInput::kFfn, layer, w.normed, rows.count(), width);
  }
  encoded_x_.Set(w.normed, rows.count());
  Compute(layer, weights, rows.count(), encoded_x_);
  Add(rows.count());
}

void DenseFeedForward::Compute(LayerIndex layer, const LayerWeights& weights, std::size_t row_count,
                               EncodedRows& x) {
  Workspace& w = context_.workspace;
  const std::size_t hidden = context_.config.layers[layer.value].dense_width;
  const std::array inputs = {Projection{&weights.matrix(TensorRole::kDenseGate), w.dense_gate},
                             Projection{&weights.matrix(TensorRole::kDenseUp), w.dense_up}};
  Project(inputs, x, row_count, context_.kernels, context_.pool);
  context_.pool.ParallelFor(row_count, [&](std::size_t i, std::size_t) {
    float* const gate = w.dense_gate + i * hidden;
    context_.kernels.swiglu(gate, w.dense_up + i * hidden, hidden, gate);
  });
  encoded_hidden_.Set(w.dense_gate, row_count, hidden);
  const std::array output = {Projection{&weights.matrix(TensorRole::kDenseDown), w.dense_out}};
  Project(output, encoded_hidden_, row_count, context_.kernels, context_.pool);
  if (const float* const gate = weights.floats(TensorRole::kDenseOutputGate))
    ApplyOutputGate(gate, row_count);
}

void DenseFeedForward::ApplyOutputGate(const float* gate, std::size_t row_count) {
  Workspace& w = context_.workspace;
  const std::size_t width = context_.config.width;
  context_.pool.ParallelFor(row_count, [&](std::size_t i, std::size_t) {
    const float* const x = w.normed + i * width;
    double sum = 0;
    for (std::size_t c = 0; c < width; ++c)
      sum += static_cast<double>(x[c]) * static_cast<double>(gate[c]);
    const auto scale = static_cast<float>(1.0 / (1.0 + std::exp(-sum)));
    float* const out = w.dense_out + i * width;
    for (std::size_t c = 0; c < width; ++c) out[c] *= scale;
  });
}

void DenseFeedForward::Add(std::size_t row_count) {
  Workspace& w = context_.workspace;
  const std::size_t width = context_.config.width;
  context_.pool.ParallelFor(row_count, [&](std::size_t i, std::size_t) {
    context_.kernels.add_scaled(w.dense_out + i * width, context_.config.residual_scale, width,
                                w.x + i * width);
  });
}

}  // namespace edgemoe
