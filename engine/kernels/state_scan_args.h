// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace edgemoe {

// One position of one head of a selective state space: see KernelTable.
struct StateScanArgs {
  float* state;    // [head_size, state_size], changed in place
  const float* x;  // [head_size]
  const float* b;  // [state_size]
  const float* c;  // [state_size]
  float* out;      // [head_size]; may be x
  std::size_t head_size;
  std::size_t state_size;
  float decay;
  float step;
  float skip;
};

}  // namespace edgemoe
