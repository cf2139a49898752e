// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/model/active_rows.h"
#include "engine/model/ops/encoded_rows.h"
#include "engine/model/ops/op_context.h"
#include "engine/model/weights.h"

namespace edgemoe {

// Gated delta rule as DeltaNetConfig describes it: from the workspace's normed to its delta. A
// sequence's state is what its last taps - 1 positions gave the convolution, the oldest first:
// [taps - 1, channels]; then each value head's S: [value_head_count, head_size, head_size].
class DeltaNet {
 public:
  // Engine's thread.
  explicit DeltaNet(const OpContext& context);

  void Run(LayerIndex layer, const LayerWeights& weights, const ActiveRows& rows);

 private:
  // What the projections have given, and where each head has its own.
  struct Inputs {
    const DeltaNetConfig& config;
    std::size_t row_count;
    bool grouped;  // key head by key head: its query, key, values and gates
    float* in;     // [rows, channels], then [rows, value_size] of gates; grouped: in one row
    float* rates;  // [rows, value heads], then the same of decays; joined: in one row

    // [head_size]
    float* Query(std::size_t row, std::size_t head) const;
    float* Key(std::size_t row, std::size_t head) const;
    float* Value(std::size_t row, std::size_t head) const;
    float* Gate(std::size_t row, std::size_t head) const;
    // Before their sigmoid and softplus.
    float Rate(std::size_t row, std::size_t head) const;
    float Decay(std::size_t row, std::size_t head) const;

   private:
    // Place `place` of the group that a key head has, in heads.
    float* Grouped(std::size_t row, std::size_t key_head, std::size_t place) const;
    std::size_t PlaceOfRate(std::size_t head) const;
  };

  Inputs ProjectInputs(LayerIndex layer, const LayerWeights& weights, const ActiveRows& rows);
  // Convolution and SiLU of [head_size] channels of all rows, in order of position and in place:
  // `head` counts queries, keys, then values. Queries and keys are given their length, too.
  void Convolve(LayerIndex layer, const LayerWeights& weights, const ActiveRows& rows,
                const Inputs& inputs, std::size_t head);
  // The delta rule of a value head, in order of position, its norm and its gate.
  void Update(LayerIndex layer, const LayerWeights& weights, const ActiveRows& rows,
              const Inputs& inputs, std::size_t head);
  void ProjectOutput(LayerIndex layer, const LayerWeights& weights, const ActiveRows& rows);

  const OpContext context_;
  EncodedRows encoded_x_;
  EncodedRows encoded_heads_;
};

}  // namespace edgemoe
