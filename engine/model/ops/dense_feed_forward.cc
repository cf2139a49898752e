// SPDX-License-Identifier: Apache-2.0
#include "engine/model/ops/dense_feed_forward.h"

#include <array>

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
  const KernelTable& kernels = context_.kernels;
  const std::size_t width = context_.config.width;
  const std::size_t hidden = context_.config.layers[layer.value].dense_width;
  const float* const norm = weights.floats(TensorRole::kFeedForwardNorm);
  context_.pool.ParallelFor(rows.count(), [&](std::size_t i, std::size_t) {
    kernels.rms_norm(w.x + i * width, norm, width, context_.config.rms_epsilon,
                     w.normed + i * width);
  });
  if (context_.observer != nullptr) {
    context_.observer->OnDense(DenseInput::kFfn, layer, w.normed, rows.count(), width);
  }
  encoded_x_.Set(w.normed, rows.count());
  const std::array inputs = {Projection{&weights.matrix(TensorRole::kDenseGate), w.dense_gate},
                             Projection{&weights.matrix(TensorRole::kDenseUp), w.dense_up}};
  Project(inputs, encoded_x_, rows.count(), kernels, context_.pool);
  context_.pool.ParallelFor(rows.count(), [&](std::size_t i, std::size_t) {
    float* const gate = w.dense_gate + i * hidden;
    kernels.swiglu(gate, w.dense_up + i * hidden, hidden, gate);
  });
  encoded_hidden_.Set(w.dense_gate, rows.count());
  const std::array output = {Projection{&weights.matrix(TensorRole::kDenseDown), w.delta}};
  Project(output, encoded_hidden_, rows.count(), kernels, context_.pool);
  context_.pool.ParallelFor(rows.count(), [&](std::size_t i, std::size_t) {
    kernels.add_scaled(w.delta + i * width, 1.0F, width, w.x + i * width);
  });
}

}  // namespace edgemoe
