// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/kernel_functions.h"
#include "engine/kernels/x86_avx512/mat_mul_k.h"
#include "engine/kernels/x86_avx512/mat_mul_tile.h"

namespace edgemoe::avx512 {
namespace {

struct Format {
  static constexpr std::size_t kRowTile = 1;

  template <std::size_t kRows, std::size_t kTokens>
  static void Dot(const std::byte* weights, std::size_t, const std::byte* const (&x)[kTokens],
                  std::size_t columns, float (&sums)[kRows][kTokens]) {
    static_assert(kRows == kRowTile);
    __m512 acc[kTokens];
    EDGEMOE_UNROLL
    for (std::size_t t = 0; t < kTokens; ++t) acc[t] = _mm512_setzero_ps();
    for (std::size_t block = 0; block < columns / kSuperBlock; ++block) {
      const std::byte* w = weights + block * sizeof(BlockQ6_K);
      const std::size_t at = block * sizeof(BlockQ8_K);
      const __m256i scales = _mm256_cvtepi8_epi16(Load16(w + offsetof(BlockQ6_K, scales)));
      // Quants are stored with 32 added: the sums of the activations take that back.
      __m512i dots[kTokens];
      EDGEMOE_UNROLL
      for (std::size_t t = 0; t < kTokens; ++t) {
        const __m256i offset = _mm256_madd_epi16(scales, Load32(x[t] + at + kSumsAt));
        const __m256i start =
            _mm256_sub_epi32(_mm256_setzero_si256(), _mm256_slli_epi32(offset, 5));
        dots[t] = _mm512_zextsi256_si512(start);
      }
      const __m512i all_scales = _mm512_castsi256_si512(scales);
      EDGEMOE_UNROLL
      for (int half = 0; half < 2; ++half) {
        __m512i quants[2];
        Unpack(w, half, &quants[0], &quants[1]);
        EDGEMOE_UNROLL
        for (int part = 0; part < 2; ++part) {
          const int run = 2 * half + part;
          const __m512i scale = ScalesOf(all_scales, run);
          EDGEMOE_UNROLL
          for (std::size_t t = 0; t < kTokens; ++t) {
            const __m512i a = Load64(x[t] + at + kQuantsAt + 64 * run);
            const __m512i p = _mm512_dpbusd_epi32(_mm512_setzero_si512(), quants[part], a);
            dots[t] = AddScaledDots(dots[t], p, scale);  // four products below 63 * 127 each
          }
        }
      }
      const __m512 d = BroadcastHalf(w + offsetof(BlockQ6_K, d));
      EDGEMOE_UNROLL
      for (std::size_t t = 0; t < kTokens; ++t) {
        const __m512 scale = _mm512_mul_ps(d, BroadcastFloat(x[t] + at));
        acc[t] = _mm512_fmadd_ps(scale, _mm512_cvtepi32_ps(dots[t]), acc[t]);
      }
    }
    EDGEMOE_UNROLL
    for (std::size_t t = 0; t < kTokens; ++t) sums[0][t] = Sum(acc[t]);
  }

  // The 128 elements of one half of the block, as unsigned bytes below 64.
  static void Unpack(const std::byte* block, int half, __m512i* first, __m512i* second) {
    const __m512i low_mask = _mm512_set1_epi8(15);
    const __m512i high_mask = _mm512_set1_epi8(0x30);
    const __m512i ql = Load64(block + 64 * half);
    const __m256i qh = Load32(block + offsetof(BlockQ6_K, qh) + 32 * half);
    const __m512i both = Join(qh, qh);
    const __m512i left = Join(_mm256_set1_epi16(4), _mm256_set1_epi16(2));
    const __m512i right = Join(_mm256_setzero_si256(), _mm256_set1_epi16(2));
    const __m512i high0 = _mm512_and_si512(_mm512_sllv_epi16(both, left), high_mask);
    const __m512i high1 = _mm512_and_si512(_mm512_srlv_epi16(both, right), high_mask);
    *first = _mm512_or_si512(_mm512_and_si512(ql, low_mask), high0);
    *second = _mm512_or_si512(_mm512_and_si512(_mm512_srli_epi16(ql, 4), low_mask), high1);
  }

  // Scale 4 * run + i in the lower 16 bits of the four lanes of quarter i.
  static __m512i ScalesOf(__m512i scales, int run) {
    const __m512i quarters = _mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
    const __m512i index = _mm512_add_epi32(quarters, _mm512_set1_epi32(4 * run));
    return _mm512_maskz_permutexvar_epi16(0x55555555, index, scales);
  }
};

}  // namespace

void MatMulQ6_K(const MatMulArgs& args) { MultiplyTiled<Format>(args); }

}  // namespace edgemoe::avx512
