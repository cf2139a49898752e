// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/model/active_rows.h"
#include "engine/model/ops/encoded_rows.h"
#include "engine/model/ops/op_context.h"
#include "engine/model/weights.h"

namespace edgemoe {

// x += down(silu(gate(norm(x))) * up(norm(x))), for layers without experts.
class DenseFeedForward {
 public:
  // Engine's thread.
  explicit DenseFeedForward(const OpContext& context);

  void Run(LayerIndex layer, const LayerWeights& weights, const ActiveRows& rows);

 private:
  const OpContext context_;
  EncodedRows encoded_x_;
  EncodedRows encoded_hidden_;
};

}  // namespace edgemoe
