// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/kernel_functions.h"
#include "engine/kernels/ref/mat_mul_rows.h"
#include "engine/kernels/ref/mat_mul_small.h"

namespace edgemoe::ref {
namespace {

int Quant(const BlockQ5_0& block, std::size_t i) {
  return (Nibble(block.qs, i) | FifthBit(block.qh, i) << 4) - 16;
}

}  // namespace

void MatMulQ5_0(const MatMulArgs& args) {
  MultiplyRows(args, [](const std::byte* weights, const std::byte* x, std::size_t columns) {
    return DotSmallBlocks<BlockQ5_0>(weights, x, columns, Quant);
  });
}

}  // namespace edgemoe::ref
