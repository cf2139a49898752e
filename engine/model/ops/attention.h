// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "engine/model/active_rows.h"
#include "engine/model/ops/encoded_rows.h"
#include "engine/model/ops/op_context.h"
#include "engine/model/ops/rope.h"
#include "engine/model/weights.h"

namespace edgemoe {

// Grouped-query attention as AttentionConfig describes it: from the workspace's normed to its
// delta. Writes each row's key and value to its sequence first, so that the rows of one sequence
// see each other.
class Attention {
 public:
  // Engine's thread.
  Attention(const OpContext& context, const RopeTables& rope);

  void Run(LayerIndex layer, const LayerWeights& weights, const ActiveRows& rows);

 private:
  // q, k and v of all rows, where a layer without a value matrix has k as v; biases are not added
  // yet.
  void ProjectInputs(LayerIndex layer, const LayerWeights& weights, const ActiveRows& rows);
  // Biases, norms and rotation of one row's heads; its key and value go to its sequence.
  void PrepareRow(LayerIndex layer, const LayerWeights& weights, const ActiveRows& rows,
                  std::size_t i);
  // Heads of a row, each `stride` floats behind the one before.
  struct Heads {
    float* first;
    std::size_t count;
    std::size_t stride;
  };
  // Norms and rotates them.
  void PrepareHeads(LayerIndex layer, std::size_t row, const float* norm, const Heads& heads);
  // Head `head` of active row i over the positions that it sees; `scores` [context_length + 1] is
  // scratch.
  void Attend(LayerIndex layer, const LayerWeights& weights, const ActiveRows& rows,
              std::size_t item, float* scores);
  void ProjectOutput(LayerIndex layer, const LayerWeights& weights, const ActiveRows& rows);

  const OpContext context_;
  const RopeTables& rope_;
  EncodedRows encoded_x_;
  EncodedRows encoded_attended_;
  const std::vector<float> ones_;  // [kHeadSizeMax], the weights of value norms
};

}  // namespace edgemoe
