// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/kernels/mat_mul_args.h"

namespace edgemoe::ref {

// y[token, row] = dot(weights of the row, x of the token, columns), one after another.
template <class Dot>
void MultiplyRows(const MatMulArgs& args, Dot dot) {
  for (std::size_t token = 0; token < args.token_count; ++token) {
    const std::byte* x = args.x + token * args.x_row_bytes;
    for (std::size_t row = args.row_begin; row < args.row_end; ++row) {
      const std::byte* weights = args.weights + row * args.weight_row_bytes;
      args.y[token * args.y_stride + row] = dot(weights, x, args.columns);
    }
  }
}

}  // namespace edgemoe::ref
