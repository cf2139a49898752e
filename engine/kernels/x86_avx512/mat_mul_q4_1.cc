// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/kernel_functions.h"
#include "engine/kernels/x86_avx512/mat_mul_q8.h"
#include "engine/kernels/x86_avx512/mat_mul_tile.h"

namespace edgemoe::avx512 {
namespace {

struct Q4_1 {
  static constexpr std::size_t kBlockBytes = sizeof(BlockQ4_1);
  static constexpr int kCentre = 0;
  static __m512i Unpack(const std::byte* first, const std::byte* second) {
    constexpr std::size_t kAt = offsetof(BlockQ4_1, qs);
    return SpreadNibbles(first + kAt, second + kAt);
  }
  static __m128 Scales(const std::byte* first, const std::byte* second) {
    return HalfPairs(first, second);
  }
};

}  // namespace

void MatMulQ4_1(const MatMulArgs& args) { MultiplyTiled<SmallBlockFormat<Q4_1>>(args); }

}  // namespace edgemoe::avx512
