// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <vector>

#include "engine/stream/expert_layout.h"
#include "engine/study/activation_stats.h"

namespace edgemoe {

// An expert counts as if it had been used so often more, like the mean of its layer's uses: one
// that was never routed to is the layer's mean, one used a thousand times is itself.
constexpr double kPriorUses = 8;
// About the least weight: a column that calibration never excited may still matter.
constexpr float kImportanceMin = 1e-4F;

// How much errors count, for each column or row of a matrix.
struct Importance {
  std::vector<float> weights;  // mean 1, none below about kImportanceMin
  double mean = 0;             // of the second moments that they are of, for a use or row
};

// What calibration says of each matrix. Without any rows seen, all weights are 1 and means 0.
// Immutable; any thread. `stats` outlives it and does not change.
class ImportanceTable {
 public:
  explicit ImportanceTable(const ActivationStats& stats);

  // [columns]: of ExpertSum::kInput for gate and up, of kHidden for down.
  Importance Columns(ExpertKey key, ExpertRole role) const;
  // [rows]: of kGateSlope and kUpSlope: what an error of a row does to the input of down. Down has
  // none: each of its rows moves one output.
  Importance Rows(ExpertKey key, ExpertRole role) const;
  // [columns] of the dense matrices behind `input`.
  Importance Columns(DenseInput input, LayerIndex layer) const;

 private:
  Importance OfExpert(ExpertSum which, ExpertKey key) const;

  const ActivationStats& stats_;
  // [layer_count, kExpertSumCount]: the mean over all uses of a layer's experts.
  std::vector<std::array<std::vector<double>, kExpertSumCount>> layer_means_;
};

}  // namespace edgemoe
