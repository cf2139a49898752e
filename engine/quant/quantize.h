// SPDX-License-Identifier: Apache-2.0
//
// The reference conversions between float and GGUF's types: the obvious code, bit-exact with the
// gguf Python package where that package has the conversion. Kernels are tested against these. All
// functions are pure and thread-safe.
#pragma once

#include <cstddef>

#include "engine/quant/tensor_type.h"

namespace edgemoe {

// `packed` [n] of `type` -> `out` [n].
// REQUIRES: TraitsOf(type).computable; n is a whole number of blocks.
void DequantizeRow(TensorType type, const std::byte* packed, std::size_t n, float* out);

// `x` [n] -> `packed` [n] of `type`. NaN and infinities give some valid block, never undefined
// behaviour. REQUIRES: TraitsOf(type).encodable; n is a whole number of blocks.
void QuantizeRow(TensorType type, const float* x, std::size_t n, std::byte* packed);

// As QuantizeRow without importance, but looks for the least sum of importance[i] * (x[i] -
// decoded[i])^2. `importance` [n]: the second moments of the matrix's inputs, as calibration
// measures them, in any unit; null: without importance. Entries that are negative or not finite
// count as the others' mean, all zeros as equal.
void QuantizeRow(TensorType type, const float* x, std::size_t n, const float* importance,
                 std::byte* packed);

}  // namespace edgemoe
