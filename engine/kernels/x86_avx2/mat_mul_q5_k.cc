// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/kernel_functions.h"
#include "engine/kernels/x86_avx2/mat_mul_k.h"
#include "engine/kernels/x86_avx2/mat_mul_tile.h"

namespace edgemoe::avx2 {
namespace {

struct Q5_K {
  static constexpr std::size_t kBlockBytes = sizeof(BlockQ5_K);
  static void Unpack(const std::byte* block, int j, __m256i* low, __m256i* high) {
    const __m256i mask = _mm256_set1_epi8(15);
    const __m256i fifth = _mm256_set1_epi8(16);
    const __m256i pairs = Load32(block + offsetof(BlockQ5_K, qs) + 32 * j);
    const __m256i bits = _mm256_srli_epi16(Load32(block + offsetof(BlockQ5_K, qh)), 2 * j);
    const __m256i low_bit = _mm256_and_si256(_mm256_slli_epi16(bits, 4), fifth);
    const __m256i high_bit = _mm256_and_si256(_mm256_slli_epi16(bits, 3), fifth);
    *low = _mm256_or_si256(_mm256_and_si256(pairs, mask), low_bit);
    *high = _mm256_or_si256(_mm256_and_si256(_mm256_srli_epi16(pairs, 4), mask), high_bit);
  }
};

}  // namespace

void MatMulQ5_K(const MatMulArgs& args) { MultiplyTiled<MinsFormat<Q5_K>>(args); }

}  // namespace edgemoe::avx2
