// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace edgemoe {

// What predictors know of the model.
struct PredictorShape {
  std::uint32_t layer_count = 0;
  std::uint32_t experts_per_layer = 0;
  std::uint32_t experts_used = 0;  // that a row chooses at most; further choices are not looked at
  std::uint32_t sessions_max = 1;
};

}  // namespace edgemoe
