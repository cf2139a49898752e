// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/kernel_functions.h"
#include "engine/kernels/x86_avx2/mat_mul_q8.h"
#include "engine/kernels/x86_avx2/mat_mul_tile.h"

namespace edgemoe::avx2 {
namespace {

struct Q4_0 {
  static constexpr std::size_t kBlockBytes = sizeof(BlockQ4_0);
  static __m256i Unpack(const std::byte* block) {
    const __m128i pairs = Load16(block + sizeof(HalfBits));
    const __m256i both = _mm256_set_m128i(_mm_srli_epi16(pairs, 4), pairs);
    const __m256i nibbles = _mm256_and_si256(both, _mm256_set1_epi8(15));
    return _mm256_sub_epi8(nibbles, _mm256_set1_epi8(8));
  }
};

}  // namespace

void MatMulQ4_0(const MatMulArgs& args) { MultiplyTiled<SmallBlockFormat<Q4_0>>(args); }

}  // namespace edgemoe::avx2
