// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/kernel_functions.h"
#include "engine/kernels/ref/mat_mul_rows.h"
#include "engine/quant/block_formats.h"
#include "engine/quant/half.h"

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

float Dot(const std::byte* weights, const std::byte* x, std::size_t columns) {
  const auto* w = reinterpret_cast<const BlockQ6_K*>(weights);
  const auto* a = reinterpret_cast<const BlockQ8_K*>(x);
  float sum = 0;
  for (std::size_t block = 0; block < columns / kSuperBlock; ++block) {
    int dot = 0;
    for (std::size_t i = 0; i < kSuperBlock; ++i) {
      dot += w[block].scales[i / 16] * Quant(w[block], i) * a[block].qs[i];
    }
    sum += static_cast<float>(dot) * (HalfToFloat(w[block].d) * a[block].d);
  }
  return sum;
}

}  // namespace

void MatMulQ6_K(const MatMulArgs& args) { MultiplyRows(args, Dot); }

}  // namespace edgemoe::ref
