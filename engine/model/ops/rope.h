// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "engine/kernels/kernel_table.h"
#include "engine/model/batch.h"
#include "engine/model/model_config.h"
#include "engine/model/weights.h"

namespace edgemoe {

// How fast each pair of a head turns.
struct RopeAngles {
  std::vector<double> frequencies;  // [dimension_count / 2], radians a position
  double magnitude = 1;             // rotated elements are multiplied by it
};
// In sequences of at most `context_length` positions: of the factors those for such are taken.
RopeAngles AnglesOf(const RopeConfig& rope, const RopeFactors& factors,
                    std::uint32_t context_length);

// Rotates one head in place; cosines and sines [dimension_count / 2]. A dimension count of 0 leaves
// it as it is.
void RotateHead(const RopeConfig& rope, const KernelTable& kernels, const float* cosines,
                const float* sines, float* head);

// Cosines and sines of a step's positions, once for each kind of RoPE that the layers have.
// Confined to the engine's thread, but for reading.
class RopeTables {
 public:
  // Floats of `memory` that tables for `rows_max` rows need.
  static std::size_t FloatCount(const ModelConfig& config, std::size_t rows_max);

  // `memory`: FloatCount of them, alive while this is.
  RopeTables(const ModelConfig& config, const RopeFactors& factors, std::size_t rows_max,
             float* memory);

  // Before the layers of a step.
  void SetPositions(std::span<const BatchRow> rows);

  // Of row `row` of the step: [dimension_count / 2].
  const float* cosines(LayerIndex layer, std::size_t row) const;
  const float* sines(LayerIndex layer, std::size_t row) const;

 private:
  struct Table {
    RopeConfig config;
    RopeAngles angles;
    float* cosines;  // [rows_max, dimension_count / 2]
    float* sines;    // the same shape
  };
  static std::vector<RopeConfig> KindsOf(const ModelConfig& config);

  std::vector<Table> tables_;
  std::vector<std::size_t> table_of_layer_;  // [layers]
};

}  // namespace edgemoe
