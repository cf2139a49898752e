// SPDX-License-Identifier: Apache-2.0
//
// Apart from kernel_table.h, so that files compiled for one instruction set include nothing of the
// standard library but plain types.
#pragma once

#include <cstddef>

namespace edgemoe {

struct MatMulArgs {
  // [rows, columns], packed in the weights' type; row r starts at r * weight_row_bytes.
  const std::byte* weights;
  std::size_t weight_row_bytes;
  std::size_t row_begin;  // rows [row_begin, row_end) are computed
  std::size_t row_end;
  std::size_t columns;
  // [token_count, columns], encoded as ActivationTypeFor(weights' type); rows aligned to 4 bytes.
  const std::byte* x;
  std::size_t x_row_bytes;
  std::size_t token_count;
  float* y;  // y[token * y_stride + row]
  std::size_t y_stride;
};

// A step of one head's gated delta rule (arXiv 2412.06464); no two arrays overlap.
struct DeltaRuleArgs {
  float* state;  // S [size of keys, size of values], changed in place
  std::size_t size;
  const float* key;    // k [size]
  const float* query;  // [size]
  const float* value;  // v [size]
  float decay;         // a
  float rate;          // b
  float* out;          // [size]
};

}  // namespace edgemoe
