// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/kernels/x86_avx512/simd.h"
#include "engine/quant/block_formats.h"

namespace edgemoe::avx512 {
namespace {

// Weights in blocks of 32 signed bytes with one scale (Q8_0, and Q4_0 once unpacked) against Q8_0
// activations, two blocks at a time. `Weights::kBlockBytes`; `Weights::Unpack(block)` gives the
// bytes; the scale comes first in the block.
template <class Weights>
struct SmallBlockFormat {
  static constexpr std::size_t kRowTile = 2;

  template <std::size_t kRows, std::size_t kTokens>
  static void Dot(const std::byte* weights, std::size_t row_bytes,
                  const std::byte* const (&x)[kTokens], std::size_t columns,
                  float (&sums)[kRows][kTokens]) {
    const std::size_t block_count = columns / kSmallBlock;
    __m512 acc[kRows][kTokens];
    EDGEMOE_UNROLL
    for (std::size_t i = 0; i < kRows * kTokens; ++i) {
      acc[i / kTokens][i % kTokens] = _mm512_setzero_ps();
    }
    std::size_t block = 0;
    for (; block + 2 <= block_count; block += 2) {
      __m512i quants[kRows];
      __m512 scales[kRows];
      EDGEMOE_UNROLL
      for (std::size_t r = 0; r < kRows; ++r) {
        const std::byte* w = weights + r * row_bytes + block * Weights::kBlockBytes;
        const std::byte* next = w + Weights::kBlockBytes;
        quants[r] = Join(Weights::Unpack(w), Weights::Unpack(next));
        scales[r] = Scales(w, next);
      }
      EDGEMOE_UNROLL
      for (std::size_t t = 0; t < kTokens; ++t) {
        const std::byte* a = x[t] + block * sizeof(BlockQ8_0);
        const std::byte* next = a + sizeof(BlockQ8_0);
        const __m512i bytes = Join(Quants(a), Quants(next));
        const __m512 x_scales = Scales(a, next);
        EDGEMOE_UNROLL
        for (std::size_t r = 0; r < kRows; ++r) {
          acc[r][t] = Accumulate(quants[r], bytes, scales[r], x_scales, acc[r][t]);
        }
      }
    }
    if (block < block_count) {
      EDGEMOE_UNROLL
      for (std::size_t i = 0; i < kRows * kTokens; ++i) {
        const std::byte* w = weights + i / kTokens * row_bytes + block * Weights::kBlockBytes;
        const std::byte* a = x[i % kTokens] + block * sizeof(BlockQ8_0);
        __m512& sum = acc[i / kTokens][i % kTokens];
        sum =
            Accumulate(_mm512_zextsi256_si512(Weights::Unpack(w)),
                       _mm512_zextsi256_si512(Quants(a)), BroadcastHalf(w), BroadcastHalf(a), sum);
      }
    }
    EDGEMOE_UNROLL
    for (std::size_t i = 0; i < kRows * kTokens; ++i) {
      sums[i / kTokens][i % kTokens] = Sum(acc[i / kTokens][i % kTokens]);
    }
  }

  // The multiply wants unsigned by signed: the weight's sign goes over to the activation.
  static __m512 Accumulate(__m512i quants, __m512i bytes, __m512 scale, __m512 x_scale,
                           __m512 acc) {
    const __m512i zero = _mm512_setzero_si512();
    const __mmask64 negative = _mm512_movepi8_mask(quants);
    const __m512i with_sign = _mm512_mask_sub_epi8(bytes, negative, zero, bytes);
    const __m512i dot = _mm512_dpbusd_epi32(zero, _mm512_abs_epi8(quants), with_sign);
    return _mm512_fmadd_ps(_mm512_cvtepi32_ps(dot), _mm512_mul_ps(scale, x_scale), acc);
  }

  static __m256i Quants(const std::byte* block) { return Load32(block + sizeof(HalfBits)); }

  // The scales of two blocks, each in one half of the lanes.
  static __m512 Scales(const std::byte* first, const std::byte* second) {
    const __m128i lower = _mm_set1_epi16(LoadAs<short>(first));
    const __m128i upper = _mm_set1_epi16(LoadAs<short>(second));
    return _mm512_cvtph_ps(_mm256_set_m128i(upper, lower));
  }
};

}  // namespace
}  // namespace edgemoe::avx512
