// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/model/activation_observer.h"
#include "engine/model/active_rows.h"
#include "engine/model/encoded_rows.h"
#include "engine/model/workspace.h"

namespace edgemoe {

// Grouped-query attention with normed queries and keys and NEOX RoPE: adds its output to x. Writes
// each row's key and value to the cache first, so that the rows of one sequence see each other.
class AttentionLayer {
 public:
  // References outlive this object; `observer` may be null. Engine's thread.
  AttentionLayer(const ModelConfig& config, const KernelTable& kernels, ComputePool& pool,
                 KvCache& kv, Workspace& workspace, std::uint32_t rows_max,
                 ActivationObserver* observer);

  // Cosines and sines of the positions of a step's rows; once before the layers.
  void SetPositions(std::span<const BatchRow> rows);

  void Run(LayerIndex layer, const LayerWeights& weights, const ActiveRows& rows);

 private:
  // Norm and rotation of one row's heads; its key and value go to the cache.
  void PrepareRow(LayerIndex layer, const LayerWeights& weights, const ActiveRows& rows,
                  std::size_t i);
  // One head of one row over all positions up to its own.
  void Attend(LayerIndex layer, const BatchRow& row, const float* q, std::size_t kv_head,
              float* scores, float* out);

  const ModelConfig& config_;
  const KernelTable& kernels_;
  ComputePool& pool_;
  KvCache& kv_;
  Workspace& workspace_;
  ActivationObserver* const observer_;
  EncodedRows encoded_x_;
  EncodedRows encoded_attended_;
  std::vector<double> frequencies_;  // [head_size / 2], radians a position
};

}  // namespace edgemoe
