// SPDX-License-Identifier: Apache-2.0
//
// IQ4_XS and the types with grids against Q8_K.
#include "engine/kernels/kernel_functions.h"
#include "engine/kernels/ref/mat_mul_rows.h"
#include "engine/quant/half.h"
#include "engine/quant/iq_fields.h"

namespace edgemoe::ref {
namespace {

template <class Block>
float Dot(const std::byte* weights, const std::byte* x, std::size_t columns) {
  const auto* w = reinterpret_cast<const Block*>(weights);
  const auto* a = reinterpret_cast<const BlockQ8_K*>(x);
  float sum = 0;
  for (std::size_t block = 0; block < columns / kSuperBlock; ++block) {
    int dot = 0;
    for (std::size_t i = 0; i < kSuperBlock; ++i)
      dot += quant::ScaleOf(w[block], i) * quant::LevelOf(w[block], i) * a[block].qs[i];
    const float d = HalfToFloat(w[block].d) * quant::kUnitOf<Block>;
    sum += static_cast<float>(dot) * (d * a[block].d);
  }
  return sum;
}

}  // namespace

void MatMulIQ4_XS(const MatMulArgs& args) { MultiplyRows(args, Dot<BlockIQ4_XS>); }
void MatMulIQ3_S(const MatMulArgs& args) { MultiplyRows(args, Dot<BlockIQ3_S>); }
void MatMulIQ3_XXS(const MatMulArgs& args) { MultiplyRows(args, Dot<BlockIQ3_XXS>); }
void MatMulIQ2_S(const MatMulArgs& args) { MultiplyRows(args, Dot<BlockIQ2_S>); }
void MatMulIQ2_XS(const MatMulArgs& args) { MultiplyRows(args, Dot<BlockIQ2_XS>); }
void MatMulIQ2_XXS(const MatMulArgs& args) { MultiplyRows(args, Dot<BlockIQ2_XXS>); }

}  // namespace edgemoe::ref
