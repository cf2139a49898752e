// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/kernel_functions.h"
#include "engine/kernels/ref/mat_mul_k.h"
#include "engine/kernels/ref/mat_mul_rows.h"

namespace edgemoe::ref {
namespace {

int Scale(const BlockQ3_K& block, std::size_t s) {
  const int low = s < 8 ? block.scales[s] & 15 : block.scales[s - 8] >> 4;
  const int high = (block.scales[8 + s % 4] >> (2 * (s / 4))) & 3;
  return (low | high << 4) - 32;
}

int Quant(const BlockQ3_K& block, std::size_t i) {
  const int third = (block.hmask[i % 32] >> (i / 32)) & 1;
  return (TwoBits(block.qs, i) | third << 2) - 4;
}

}  // namespace

void MatMulQ3_K(const MatMulArgs& args) {
  MultiplyRows(args, [](const std::byte* weights, const std::byte* x, std::size_t columns) {
    return DotCentred<BlockQ3_K>(weights, x, columns, Scale, Quant);
  });
}

}  // namespace edgemoe::ref
