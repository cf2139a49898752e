// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/kernel_functions.h"
#include "engine/kernels/ref/mat_mul_rows.h"
#include "engine/kernels/ref/mat_mul_small.h"
#include "engine/quant/codebooks.h"

namespace edgemoe::ref {
namespace {

int Quant(const BlockIQ4_NL& block, std::size_t i) { return kIq4NlValues[Nibble(block.qs, i)]; }

}  // namespace

void MatMulIQ4_NL(const MatMulArgs& args) {
  MultiplyRows(args, [](const std::byte* weights, const std::byte* x, std::size_t columns) {
    return DotSmallBlocks<BlockIQ4_NL>(weights, x, columns, Quant);
  });
}

}  // namespace edgemoe::ref
