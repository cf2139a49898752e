// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/kernel_functions.h"
#include "engine/kernels/x86_avx2/mat_mul_q8.h"
#include "engine/kernels/x86_avx2/mat_mul_tile.h"

namespace edgemoe::avx2 {
namespace {

struct Q4_0 {
  static constexpr std::size_t kBlockBytes = sizeof(BlockQ4_0);
  static constexpr bool kHasMin = false;
  static __m256 Scale(const std::byte* block) { return BroadcastHalf(block); }
  static __m256i Unpack(const std::byte* block) {
    const __m256i nibbles = SpreadNibbles(block + offsetof(BlockQ4_0, qs));
    return _mm256_sub_epi8(nibbles, _mm256_set1_epi8(8));
  }
};

}  // namespace

void MatMulQ4_0(const MatMulArgs& args) { MultiplyTiled<SmallBlockFormat<Q4_0>>(args); }

}  // namespace edgemoe::avx2
