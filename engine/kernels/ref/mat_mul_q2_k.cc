// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/kernel_functions.h"
#include "engine/kernels/ref/mat_mul_k.h"
#include "engine/kernels/ref/mat_mul_rows.h"

namespace edgemoe::ref {
namespace {

float Dot(const std::byte* weights, const std::byte* x, std::size_t columns) {
  const auto* w = reinterpret_cast<const BlockQ2_K*>(weights);
  const auto* a = reinterpret_cast<const BlockQ8_K*>(x);
  float sum = 0;
  for (std::size_t block = 0; block < columns / kSuperBlock; ++block) {
    int dot = 0;
    int mins = 0;
    for (std::size_t i = 0; i < kSuperBlock; ++i) {
      const int packed = w[block].scales[i / 16];
      dot += (packed & 15) * TwoBits(w[block].qs, i) * a[block].qs[i];
      mins += (packed >> 4) * a[block].qs[i];
    }
    sum += a[block].d * (HalfToFloat(w[block].d) * static_cast<float>(dot) -
                         HalfToFloat(w[block].dmin) * static_cast<float>(mins));
  }
  return sum;
}

}  // namespace

void MatMulQ2_K(const MatMulArgs& args) { MultiplyRows(args, Dot); }

}  // namespace edgemoe::ref
