// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/kernel_functions.h"
#include "engine/kernels/x86_avx2/mat_mul_k.h"
#include "engine/kernels/x86_avx2/mat_mul_tile.h"

namespace edgemoe::avx2 {
namespace {

struct Format {
  static constexpr std::size_t kRowTile = 1;

  template <std::size_t kRows, std::size_t kTokens>
  static void Dot(const std::byte* weights, std::size_t, const std::byte* const (&x)[kTokens],
                  std::size_t columns, float (&sums)[kRows][kTokens]) {
    static_assert(kRows == kRowTile);
    __m256 acc[kTokens];
    EDGEMOE_UNROLL
    for (std::size_t t = 0; t < kTokens; ++t) acc[t] = _mm256_setzero_ps();
    for (std::size_t block = 0; block < columns / kSuperBlock; ++block) {
      const std::byte* w = weights + block * sizeof(BlockQ6_K);
      const std::size_t at = block * sizeof(BlockQ8_K);
      const __m128i scale_bytes = Load16(w + offsetof(BlockQ6_K, scales));
      const __m256i scales = _mm256_cvtepi8_epi16(scale_bytes);
      // Quants are stored with 32 added: the sums of the activations take that back.
      __m256i dots[kTokens];
      EDGEMOE_UNROLL
      for (std::size_t t = 0; t < kTokens; ++t) {
        const __m256i offset = _mm256_madd_epi16(scales, Load32(x[t] + at + kSumsAt));
        dots[t] = _mm256_sub_epi32(_mm256_setzero_si256(), _mm256_slli_epi32(offset, 5));
      }
      EDGEMOE_UNROLL
      for (int half = 0; half < 2; ++half) {
        __m256i runs[4];
        Unpack(w, half, runs);
        EDGEMOE_UNROLL
        for (int run = 0; run < 4; ++run) {
          const int j = 4 * half + run;
          const __m256i scale = ScalesOf(scale_bytes, j);
          EDGEMOE_UNROLL
          for (std::size_t t = 0; t < kTokens; ++t) {
            const __m256i a = Load32(x[t] + at + kQuantsAt + 32 * j);
            const __m256i p = _mm256_madd_epi16(_mm256_maddubs_epi16(runs[run], a), scale);
            dots[t] = _mm256_add_epi32(dots[t], p);
          }
        }
      }
      const __m256 d = BroadcastHalf(w + offsetof(BlockQ6_K, d));
      EDGEMOE_UNROLL
      for (std::size_t t = 0; t < kTokens; ++t) {
        const __m256 scale = _mm256_mul_ps(d, BroadcastFloat(x[t] + at));
        acc[t] = _mm256_fmadd_ps(scale, _mm256_cvtepi32_ps(dots[t]), acc[t]);
      }
    }
    EDGEMOE_UNROLL
    for (std::size_t t = 0; t < kTokens; ++t) sums[0][t] = Sum(acc[t]);
  }

  // The four runs of 32 elements of one half of the block, as unsigned bytes below 64.
  static void Unpack(const std::byte* block, int half, __m256i (&runs)[4]) {
    const __m256i low_mask = _mm256_set1_epi8(15);
    const __m256i high_mask = _mm256_set1_epi8(0x30);
    const std::byte* ql = block + 64 * half;
    const __m256i a = Load32(ql);
    const __m256i b = Load32(ql + 32);
    const __m256i h = Load32(block + offsetof(BlockQ6_K, qh) + 32 * half);
    const __m256i high[4] = {_mm256_slli_epi16(h, 4), _mm256_slli_epi16(h, 2), h,
                             _mm256_srli_epi16(h, 2)};
    const __m256i low[4] = {a, b, _mm256_srli_epi16(a, 4), _mm256_srli_epi16(b, 4)};
    EDGEMOE_UNROLL
    for (int run = 0; run < 4; ++run) {
      runs[run] = _mm256_or_si256(_mm256_and_si256(low[run], low_mask),
                                  _mm256_and_si256(high[run], high_mask));
    }
  }

  // Scale 2 * j in the lower eight 16-bit lanes, 2 * j + 1 in the upper.
  static __m256i ScalesOf(__m128i scales, int j) {
    const __m128i first = _mm_set1_epi8(static_cast<char>(2 * j));
    const __m128i index = _mm_add_epi8(first, _mm_set_epi64x(0x0101010101010101, 0));
    return _mm256_cvtepi8_epi16(_mm_shuffle_epi8(scales, index));
  }
};

}  // namespace

void MatMulQ6_K(const MatMulArgs& args) { MultiplyTiled<Format>(args); }

}  // namespace edgemoe::avx2
