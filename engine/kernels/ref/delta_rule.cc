// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/kernel_functions.h"

namespace edgemoe::ref {

void DeltaRule(const DeltaRuleArgs& args) {
  for (std::size_t column = 0; column < args.size; ++column) {
    float* const state = args.state + column;
    float known = 0;
    for (std::size_t i = 0; i < args.size; ++i) known += args.key[i] * state[i * args.size];
    const float change = args.rate * (args.value[column] - args.decay * known);
    float out = 0;
    for (std::size_t i = 0; i < args.size; ++i) {
      float& element = state[i * args.size];
      element = args.decay * element + args.key[i] * change;
      out += args.query[i] * element;
    }
    args.out[column] = out;
  }
}

}  // namespace edgemoe::ref
