// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/model/active_rows.h"
#include "engine/model/ops/encoded_rows.h"
#include "engine/model/ops/op_context.h"
#include "engine/model/weights.h"

namespace edgemoe {

// down(activation(gate(x), up(x))) for the normed x: alone in a layer, or beside its experts, where
// it may be multiplied by the sigmoid of an output gate's product with x.
class DenseFeedForward {
 public:
  // Engine's thread.
  explicit DenseFeedForward(const OpContext& context);

  // A layer without experts: norms x and adds to it.
  void Run(LayerIndex layer, const LayerWeights& weights, const ActiveRows& rows);

  // Beside experts: `out` [row_count, width] for what `x` encodes; an output gate multiplies the
  // workspace's `normed`.
  void Compute(LayerIndex layer, const LayerWeights& weights, std::size_t row_count, EncodedRows& x,
               float* out);

 private:
  void ApplyOutputGate(const float* gate, std::size_t row_count, float* rows);

  const OpContext context_;
  EncodedRows encoded_x_;
  EncodedRows encoded_hidden_;
};

}  // namespace edgemoe
