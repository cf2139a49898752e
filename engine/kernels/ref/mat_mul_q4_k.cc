// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/kernel_functions.h"
#include "engine/kernels/ref/mat_mul_k.h"
#include "engine/kernels/ref/mat_mul_rows.h"

namespace edgemoe::ref {
namespace {

int Quant(const BlockQ4_K& block, std::size_t i) {
  const int pair = block.qs[i / 64 * 32 + i % 32];
  return i % 64 < 32 ? pair & 15 : pair >> 4;
}

}  // namespace

void MatMulQ4_K(const MatMulArgs& args) {
  MultiplyRows(args, [](const std::byte* weights, const std::byte* x, std::size_t columns) {
    return DotWithMins<BlockQ4_K>(weights, x, columns, Quant);
  });
}

}  // namespace edgemoe::ref
