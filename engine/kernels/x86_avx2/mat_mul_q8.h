// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/kernels/x86_avx2/simd.h"
#include "engine/quant/block_formats.h"

namespace edgemoe::avx2 {
namespace {

// Weights in blocks of 32 with a scale of their own against Q8_0 activations. `Scale(block)` gives
// the scale in all lanes. Unpack(block) gives signed bytes; where kHasMin it gives unsigned bytes
// below 32, and `Min(block)` the minimum.
template <class Weights>
struct SmallBlockFormat {
  static constexpr std::size_t kRowTile = 2;

  template <std::size_t kRows, std::size_t kTokens>
  static void Dot(const std::byte* weights, std::size_t row_bytes,
                  const std::byte* const (&x)[kTokens], std::size_t columns,
                  float (&sums)[kRows][kTokens]) {
    __m256 acc[kRows][kTokens];
    EDGEMOE_UNROLL
    for (std::size_t i = 0; i < kRows * kTokens; ++i) {
      acc[i / kTokens][i % kTokens] = _mm256_setzero_ps();
    }
    for (std::size_t block = 0; block < columns / kSmallBlock; ++block) {
      __m256i quants[kRows];
      __m256 scales[kRows];
      [[maybe_unused]] __m256 mins[kRows];
      EDGEMOE_UNROLL
      for (std::size_t r = 0; r < kRows; ++r) {
        const std::byte* w = weights + r * row_bytes + block * Weights::kBlockBytes;
        quants[r] = Weights::Unpack(w);
        scales[r] = Weights::Scale(w);
        if constexpr (Weights::kHasMin) mins[r] = Weights::Min(w);
      }
      EDGEMOE_UNROLL
      for (std::size_t t = 0; t < kTokens; ++t) {
        const std::byte* a = x[t] + block * sizeof(BlockQ8_0);
        const __m256i bytes = Load32(a + sizeof(HalfBits));
        const __m256 x_scale = BroadcastHalf(a);
        [[maybe_unused]] __m256 total;
        if constexpr (Weights::kHasMin) {
          total = _mm256_cvtepi32_ps(Products(_mm256_set1_epi8(1), bytes));
        }
        EDGEMOE_UNROLL
        for (std::size_t r = 0; r < kRows; ++r) {
          const __m256 dot = _mm256_cvtepi32_ps(Products(quants[r], bytes));
          acc[r][t] = _mm256_fmadd_ps(dot, _mm256_mul_ps(scales[r], x_scale), acc[r][t]);
          if constexpr (Weights::kHasMin) {
            acc[r][t] = _mm256_fmadd_ps(total, _mm256_mul_ps(mins[r], x_scale), acc[r][t]);
          }
        }
      }
    }
    EDGEMOE_UNROLL
    for (std::size_t i = 0; i < kRows * kTokens; ++i) {
      sums[i / kTokens][i % kTokens] = Sum(acc[i / kTokens][i % kTokens]);
    }
  }

  // Sums of four products a lane. The multiply wants unsigned by signed: a weight's sign goes over
  // to the activation. No pair of products exceeds 2 * 128 * 127, so nothing saturates.
  static __m256i Products(__m256i quants, __m256i bytes) {
    if constexpr (!Weights::kHasMin) {
      bytes = _mm256_sign_epi8(bytes, quants);
      quants = _mm256_sign_epi8(quants, quants);
    }
    return _mm256_madd_epi16(_mm256_maddubs_epi16(quants, bytes), _mm256_set1_epi16(1));
  }
};

// The low nibbles of 16 bytes, then the high ones.
inline __m256i SpreadNibbles(const std::byte* from) {
  const __m128i pairs = Load16(from);
  const __m256i both = _mm256_set_m128i(_mm_srli_epi16(pairs, 4), pairs);
  return _mm256_and_si256(both, _mm256_set1_epi8(15));
}

// `value` in each byte whose bit is set in the 32 bits at `from`, else zero.
inline __m256i SpreadBits(const std::byte* from, int value) {
  const __m256i bits = _mm256_set1_epi32(LoadAs<int>(from));
  const __m256i byte_of =
      _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303);
  const __m256i bit_of = _mm256_set1_epi64x(static_cast<long long>(0x8040201008040201u));
  const __m256i own = _mm256_and_si256(_mm256_shuffle_epi8(bits, byte_of), bit_of);
  return _mm256_and_si256(_mm256_cmpeq_epi8(own, bit_of),
                          _mm256_set1_epi8(static_cast<char>(value)));
}

// values[i] for each index below 16.
inline __m256i LookUp(const std::int8_t* values, __m256i indices) {
  return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(Load16(values)), indices);
}

}  // namespace
}  // namespace edgemoe::avx2
