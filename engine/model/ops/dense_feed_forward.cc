// SPDX-License-Identifier: Apache-2.0
#include "engine/model/ops/dense_feed_forward.h"

#include <array>
#include <cmath>

#include "engine/model/ops/activation.h"
#include "engine/model/ops/projection.h"
#include "engine/model/ops/residual_stream.h"

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
  NormRows(context_, w.x, weights.floats(TensorRole::kFeedForwardNorm), rows.count(), w.normed);
  if (context_.observer != nullptr) {
    context_.observer->OnDense(DenseInput::kFfn, layer, w.normed, rows.count(), width);
  }
  encoded_x_.Set(w.normed, rows.count());
  Compute(layer, weights, rows.count(), encoded_x_, w.delta);
  AddDelta(context_, FeedForwardDelta(weights), rows.count());
}

void DenseFeedForward::Compute(LayerIndex layer, const LayerWeights& weights, std::size_t row_count,
                               EncodedRows& x, float* out) {
  Workspace& w = context_.workspace;
  const LayerConfig& config = context_.config.layers[layer.value];
  const std::size_t hidden = config.dense_width;
  const auto join = JoinOf(context_.kernels, config.activation);
  const std::array inputs = {Projection{&weights.matrix(TensorRole::kDenseGate), w.dense_gate},
                             Projection{&weights.matrix(TensorRole::kDenseUp), w.dense_up}};
  Project(inputs, x, row_count, context_.kernels, context_.pool);
  context_.pool.ParallelFor(row_count, [&](std::size_t i, std::size_t) {
    float* const gate = w.dense_gate + i * hidden;
    join(gate, w.dense_up + i * hidden, hidden, gate);
  });
  encoded_hidden_.Set(w.dense_gate, row_count, hidden);
  const std::array output = {Projection{&weights.matrix(TensorRole::kDenseDown), out}};
  Project(output, encoded_hidden_, row_count, context_.kernels, context_.pool);
  if (const float* const gate = weights.floats(TensorRole::kDenseOutputGate))
    ApplyOutputGate(gate, row_count, out);
}

void DenseFeedForward::ApplyOutputGate(const float* gate, std::size_t row_count, float* rows) {
  const Workspace& w = context_.workspace;
  const std::size_t width = context_.config.width;
  context_.pool.ParallelFor(row_count, [&](std::size_t i, std::size_t) {
    const float* const x = w.normed + i * width;
    double sum = 0;
    for (std::size_t c = 0; c < width; ++c)
      sum += static_cast<double>(x[c]) * static_cast<double>(gate[c]);
    const auto scale = static_cast<float>(1.0 / (1.0 + std::exp(-sum)));
    float* const out = rows + i * width;
    for (std::size_t c = 0; c < width; ++c) out[c] *= scale;
  });
}

}  // namespace edgemoe
