// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/model/active_rows.h"
#include "engine/model/ops/encoded_rows.h"
#include "engine/model/ops/op_context.h"
#include "engine/model/weights.h"

namespace edgemoe {

// Mamba-2 as Mamba2Config describes it: from the workspace's normed to its delta. A sequence's
// state is what its last taps - 1 positions gave to be convolved, the oldest first: [taps - 1,
// channels]; then each head's S: [head_count, head_size, state_size]. Positions are computed one
// after the other, so that a prompt's state is the one that its tokens would have left one by one.
class Mamba2 {
 public:
  // Engine's thread.
  explicit Mamba2(const OpContext& context);

  void Run(LayerIndex layer, const LayerWeights& weights, const ActiveRows& rows);

 private:
  const Mamba2Config& ConfigOf(LayerIndex layer) const {
    return *context_.config.layers[layer.value].mixer_as<Mamba2Config>();
  }
  void ProjectInput(const LayerWeights& weights, const ActiveRows& rows);
  // Channels [begin, end) of all rows in order, with SiLU, in place.
  void Convolve(LayerIndex layer, const LayerWeights& weights, const ActiveRows& rows,
                std::size_t begin, std::size_t end);
  // One head of all rows in order: y takes the place of x.
  void Scan(LayerIndex layer, const LayerWeights& weights, const ActiveRows& rows,
            std::size_t head);
  // What is projected back, of one row.
  void GateAndNorm(const Mamba2Config& config, const float* norm, std::size_t row);

  const OpContext context_;
  EncodedRows encoded_x_;
  EncodedRows encoded_out_;
};

}  // namespace edgemoe
