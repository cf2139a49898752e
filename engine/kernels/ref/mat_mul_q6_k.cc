// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/kernel_functions.h"
#include "engine/kernels/ref/mat_mul_k.h"
#include "engine/kernels/ref/mat_mul_rows.h"

namespace edgemoe::ref {
namespace {

// Each half of the block holds four runs of 32: two in the low nibbles of ql, two in the high ones.
int Quant(const BlockQ6_K& block, std::size_t i) {
  const std::size_t half = i / 128;
  const std::size_t run = i / 32 % 4;
  const std::size_t lane = i % 32;
  const int pair = block.ql[half * 64 + run % 2 * 32 + lane];
  const int upper = (block.qh[half * 32 + lane] >> (2 * run)) & 3;
  return ((run < 2 ? pair & 15 : pair >> 4) | upper << 4) - 32;
}

int Scale(const BlockQ6_K& block, std::size_t s) { return block.scales[s]; }

}  // namespace

void MatMulQ6_K(const MatMulArgs& args) {
  MultiplyRows(args, [](const std::byte* weights, const std::byte* x, std::size_t columns) {
    return DotCentred<BlockQ6_K>(weights, x, columns, Scale, Quant);
  });
}

}  // namespace edgemoe::ref
