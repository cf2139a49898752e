// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/kernels/x86_avx2/simd.h"
#include "engine/quant/block_formats.h"

namespace edgemoe::avx2 {
namespace {

// Weights in blocks of 32 signed bytes with one scale (Q8_0, and Q4_0 once unpacked) against Q8_0
// activations. `Weights::kBlockBytes`; `Weights::Unpack(block)` gives the bytes; the scale comes
// first in the block.
template <class Weights>
struct SmallBlockFormat {
  static constexpr std::size_t kRowTile = 2;

  template <std::size_t kRows, std::size_t kTokens>
  static void Dot(const std::byte* weights, std::size_t row_bytes,
                  const std::byte* const (&x)[kTokens], std::size_t columns,
                  float (&sums)[kRows][kTokens]) {
    const __m256i ones = _mm256_set1_epi16(1);
    __m256 acc[kRows][kTokens];
    EDGEMOE_UNROLL
    for (std::size_t i = 0; i < kRows * kTokens; ++i) {
      acc[i / kTokens][i % kTokens] = _mm256_setzero_ps();
    }
    for (std::size_t block = 0; block < columns / kSmallBlock; ++block) {
      __m256i quants[kRows];
      __m256 scales[kRows];
      EDGEMOE_UNROLL
      for (std::size_t r = 0; r < kRows; ++r) {
        const std::byte* w = weights + r * row_bytes + block * Weights::kBlockBytes;
        quants[r] = Weights::Unpack(w);
        scales[r] = BroadcastHalf(w);
      }
      EDGEMOE_UNROLL
      for (std::size_t t = 0; t < kTokens; ++t) {
        const std::byte* a = x[t] + block * sizeof(BlockQ8_0);
        const __m256i bytes = Load32(a + sizeof(HalfBits));
        const __m256 x_scale = BroadcastHalf(a);
        EDGEMOE_UNROLL
        for (std::size_t r = 0; r < kRows; ++r) {
          // The multiply wants unsigned by signed: the weight's sign goes over to the activation.
          // No pair of products exceeds 2 * 128 * 127, so nothing saturates.
          const __m256i magnitudes = _mm256_sign_epi8(quants[r], quants[r]);
          const __m256i with_sign = _mm256_sign_epi8(bytes, quants[r]);
          const __m256i dot = _mm256_madd_epi16(_mm256_maddubs_epi16(magnitudes, with_sign), ones);
          acc[r][t] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(dot), _mm256_mul_ps(scales[r], x_scale),
                                      acc[r][t]);
        }
      }
    }
    EDGEMOE_UNROLL
    for (std::size_t i = 0; i < kRows * kTokens; ++i) {
      sums[i / kTokens][i % kTokens] = Sum(acc[i / kTokens][i % kTokens]);
    }
  }
};

}  // namespace
}  // namespace edgemoe::avx2
