// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/kernel_functions.h"

namespace edgemoe::ref {

void StateScan(const StateScanArgs& args) {
  for (std::size_t i = 0; i < args.head_size; ++i) {
    float* const row = args.state + i * args.state_size;
    const float x = args.x[i];
    const float input = args.step * x;
    float sum = 0;
    for (std::size_t n = 0; n < args.state_size; ++n) {
      row[n] = args.decay * row[n] + input * args.b[n];
      sum += row[n] * args.c[n];
    }
    args.out[i] = sum + args.skip * x;
  }
}

}  // namespace edgemoe::ref
