// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/kernel_functions.h"
#include "engine/kernels/x86_avx512/mat_mul_q8.h"
#include "engine/kernels/x86_avx512/mat_mul_tile.h"
#include "engine/quant/codebooks.h"

namespace edgemoe::avx512 {
namespace {

struct IQ4_NL {
  static constexpr std::size_t kBlockBytes = sizeof(BlockIQ4_NL);
  static constexpr int kCentre = 128;
  static __m512i Unpack(const std::byte* first, const std::byte* second) {
    constexpr std::size_t kAt = offsetof(BlockIQ4_NL, qs);
    return LookUp(kIq4NlValues, kCentre, SpreadNibbles(first + kAt, second + kAt));
  }
  static __m128 Scales(const std::byte* first, const std::byte* second) {
    return HalfPairs(first, second);
  }
};

}  // namespace

void MatMulIQ4_NL(const MatMulArgs& args) { MultiplyTiled<SmallBlockFormat<IQ4_NL>>(args); }

}  // namespace edgemoe::avx512
