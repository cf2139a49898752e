// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "engine/kernels/kernel_functions.h"
#include "engine/kernels/ref/mat_mul_rows.h"
#include "engine/kernels/ref/mat_mul_small.h"
#include "engine/quant/codebooks.h"

namespace edgemoe::ref {
namespace {

int Quant(const BlockMXFP4& block, std::size_t i) { return kMxfp4Values[Nibble(block.qs, i)]; }

float Scale(const BlockMXFP4& block) { return std::ldexp(1.0f, block.e - 128); }

}  // namespace

void MatMulMXFP4(const MatMulArgs& args) {
  MultiplyRows(args, [](const std::byte* weights, const std::byte* x, std::size_t columns) {
    return DotSmallBlocks<BlockMXFP4>(weights, x, columns, Quant, Scale);
  });
}

}  // namespace edgemoe::ref
