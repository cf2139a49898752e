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
  template <std::size_t kTokens>
  static void Dot(const std::byte* weights, const std::byte* const* x, std::size_t columns,
                  float* sums) {
    const __m256i ones = _mm256_set1_epi16(1);
    __m256 acc[kTokens];
    EDGEMOE_UNROLL
    for (std::size_t t = 0; t < kTokens; ++t) acc[t] = _mm256_setzero_ps();
    for (std::size_t block = 0; block < columns / kSmallBlock; ++block) {
      const std::byte* w = weights + block * Weights::kBlockBytes;
      const __m256i quants = Weights::Unpack(w);
      const __m256i magnitudes = _mm256_sign_epi8(quants, quants);
      const __m256 scale = BroadcastHalf(w);
      EDGEMOE_UNROLL
      for (std::size_t t = 0; t < kTokens; ++t) {
        const std::byte* a = x[t] + block * sizeof(BlockQ8_0);
        // The multiply wants unsigned by signed: the weight's sign goes over to the activation. No
        // pair of products exceeds 2 * 128 * 127, so nothing saturates.
        const __m256i with_sign = _mm256_sign_epi8(Load32(a + sizeof(HalfBits)), quants);
        const __m256i dot = _mm256_madd_epi16(_mm256_maddubs_epi16(magnitudes, with_sign), ones);
        acc[t] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(dot), _mm256_mul_ps(scale, BroadcastHalf(a)),
                                 acc[t]);
      }
    }
    EDGEMOE_UNROLL
    for (std::size_t t = 0; t < kTokens; ++t) sums[t] = Sum(acc[t]);
  }
};

}  // namespace
}  // namespace edgemoe::avx2
