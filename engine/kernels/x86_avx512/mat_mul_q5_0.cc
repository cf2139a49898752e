// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/kernel_functions.h"
#include "engine/kernels/x86_avx512/mat_mul_q8.h"
#include "engine/kernels/x86_avx512/mat_mul_tile.h"

namespace edgemoe::avx512 {
namespace {

struct Q5_0 {
  static constexpr std::size_t kBlockBytes = sizeof(BlockQ5_0);
  static constexpr int kCentre = 16;
  static __m512i Unpack(const std::byte* first, const std::byte* second) {
    constexpr std::size_t kAt = offsetof(BlockQ5_0, qs);
    constexpr std::size_t kFifthsAt = offsetof(BlockQ5_0, qh);
    return AddFifthBits(SpreadNibbles(first + kAt, second + kAt), first + kFifthsAt,
                        second + kFifthsAt);
  }
  static __m128 Scales(const std::byte* first, const std::byte* second) {
    return HalfPairs(first, second);
  }
};

}  // namespace

void MatMulQ5_0(const MatMulArgs& args) { MultiplyTiled<SmallBlockFormat<Q5_0>>(args); }

}  // namespace edgemoe::avx512
