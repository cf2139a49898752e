// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/kernel_functions.h"
#include "engine/kernels/ref/mat_mul_rows.h"
#include "engine/quant/block_formats.h"
#include "engine/quant/half.h"

namespace edgemoe::ref {
namespace {

float Dot(const std::byte* weights, const std::byte* x, std::size_t columns) {
  const auto* w = reinterpret_cast<const BlockQ8_0*>(weights);
  const auto* a = reinterpret_cast<const BlockQ8_0*>(x);
  float sum = 0;
  for (std::size_t block = 0; block < columns / kSmallBlock; ++block) {
    int dot = 0;
    for (std::size_t i = 0; i < kSmallBlock; ++i) dot += w[block].qs[i] * a[block].qs[i];
    sum += static_cast<float>(dot) * (HalfToFloat(w[block].d) * HalfToFloat(a[block].d));
  }
  return sum;
}

}  // namespace

void MatMulQ8_0(const MatMulArgs& args) { MultiplyRows(args, Dot); }

}  // namespace edgemoe::ref
