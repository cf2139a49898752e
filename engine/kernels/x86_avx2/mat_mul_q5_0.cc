// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/kernel_functions.h"
#include "engine/kernels/x86_avx2/mat_mul_q8.h"
#include "engine/kernels/x86_avx2/mat_mul_tile.h"

namespace edgemoe::avx2 {
namespace {

struct Q5_0 {
  static constexpr std::size_t kBlockBytes = sizeof(BlockQ5_0);
  static constexpr bool kHasMin = false;
  static __m256 Scale(const std::byte* block) { return BroadcastHalf(block); }
  static __m256i Unpack(const std::byte* block) {
    const __m256i nibbles = SpreadNibbles(block + offsetof(BlockQ5_0, qs));
    const __m256i fifths = SpreadBits(block + offsetof(BlockQ5_0, qh), 16);
    return _mm256_sub_epi8(_mm256_or_si256(nibbles, fifths), _mm256_set1_epi8(16));
  }
};

}  // namespace

void MatMulQ5_0(const MatMulArgs& args) { MultiplyTiled<SmallBlockFormat<Q5_0>>(args); }

}  // namespace edgemoe::avx2
