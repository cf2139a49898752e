// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/kernel_functions.h"
#include "engine/kernels/ref/mat_mul_rows.h"
#include "engine/kernels/ref/mat_mul_small.h"

namespace edgemoe::ref {
namespace {

int Quant(const BlockQ4_1& block, std::size_t i) { return Nibble(block.qs, i); }

}  // namespace

void MatMulQ4_1(const MatMulArgs& args) {
  MultiplyRows(args, [](const std::byte* weights, const std::byte* x, std::size_t columns) {
    return DotSmallBlocksWithMins<BlockQ4_1>(weights, x, columns, Quant);
  });
}

}  // namespace edgemoe::ref
