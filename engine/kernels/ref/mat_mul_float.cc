// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "engine/kernels/kernel_functions.h"
#include "engine/kernels/ref/mat_mul_rows.h"
#include "engine/quant/half.h"

namespace edgemoe::ref {
namespace {

// Element `i` of a row that may start at any address.
template <class Bits>
Bits Element(const std::byte* row, std::size_t i) {
  Bits bits;
  std::memcpy(&bits, row + i * sizeof(Bits), sizeof(Bits));
  return bits;
}

template <class Bits, class ToFloat>
void Multiply(const MatMulArgs& args, ToFloat to_float) {
  MultiplyRows(args, [&](const std::byte* weights, const std::byte* x, std::size_t columns) {
    float sum = 0;
    for (std::size_t i = 0; i < columns; ++i) {
      sum += to_float(Element<Bits>(weights, i)) * to_float(Element<Bits>(x, i));
    }
    return sum;
  });
}

}  // namespace

void MatMulF32(const MatMulArgs& args) {
  Multiply<float>(args, [](float value) { return value; });
}
void MatMulF16(const MatMulArgs& args) { Multiply<std::uint16_t>(args, HalfToFloat); }
void MatMulBF16(const MatMulArgs& args) { Multiply<std::uint16_t>(args, BFloatToFloat); }

}  // namespace edgemoe::ref
