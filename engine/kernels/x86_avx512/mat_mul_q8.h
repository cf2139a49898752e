// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/kernels/x86_avx512/simd.h"
#include "engine/quant/block_formats.h"

namespace edgemoe::avx512 {
namespace {

// {a[0], a[1], b[0], b[1]}: the two halves at the start of each of two blocks.
inline __m128 HalfPairs(const std::byte* a, const std::byte* b) {
  const __m128i first = _mm_cvtsi32_si128(LoadAs<int>(a));
  return _mm_cvtph_ps(_mm_insert_epi32(first, LoadAs<int>(b), 1));
}

// Weights in blocks of 32 with a scale of their own against Q8_0 activations, two blocks at a time.
// Unpack(first, second) gives the quants of both as unsigned bytes, of which kCentre stands for
// zero; Scales(first, second) gives {scale, _, scale, _}. Where kCentre is 0 the format has a
// minimum instead, and Scales gives {scale, minimum, scale, minimum}. kBlockBytes >= 4.
template <class Weights>
struct SmallBlockFormat {
  static constexpr std::size_t kRowTile = 2;
  static constexpr bool kHasMin = Weights::kCentre == 0;

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
      AddBlocks<true>(weights, row_bytes, x, block, acc);
    }
    if (block < block_count) AddBlocks<false>(weights, row_bytes, x, block, acc);
    EDGEMOE_UNROLL
    for (std::size_t i = 0; i < kRows * kTokens; ++i) {
      sums[i / kTokens][i % kTokens] = Sum(acc[i / kTokens][i % kTokens]);
    }
  }

  // Adds `block` and, if kTwo, the next one; else activations of zero stand for the next one.
  template <bool kTwo, std::size_t kRows, std::size_t kTokens>
  [[gnu::always_inline]] static void AddBlocks(const std::byte* weights, std::size_t row_bytes,
                                               const std::byte* const (&x)[kTokens],
                                               std::size_t block, __m512 (&acc)[kRows][kTokens]) {
    const __m512i zero = _mm512_setzero_si512();
    const __m512i centres = _mm512_set1_epi8(static_cast<char>(kHasMin ? 1 : Weights::kCentre));
    __m512i quants[kRows];
    __m128 scales[kRows];
    EDGEMOE_UNROLL
    for (std::size_t r = 0; r < kRows; ++r) {
      const std::byte* w = weights + r * row_bytes + block * Weights::kBlockBytes;
      const std::byte* next = kTwo ? w + Weights::kBlockBytes : w;
      quants[r] = Weights::Unpack(w, next);
      scales[r] = Weights::Scales(w, next);
    }
    EDGEMOE_UNROLL
    for (std::size_t t = 0; t < kTokens; ++t) {
      const std::byte* a = x[t] + block * sizeof(BlockQ8_0);
      const std::byte* next = kTwo ? a + sizeof(BlockQ8_0) : a;
      const __m512i bytes =
          kTwo ? Join(Quants(a), Quants(next)) : _mm512_zextsi256_si512(Quants(a));
      const __m128 x_scales = _mm_moveldup_ps(HalfPairs(a, next));
      // What each quant counts too much by, or what the minimum is multiplied with.
      const __m512i totals = _mm512_dpbusd_epi32(zero, centres, bytes);
      const __m512i start = kHasMin ? zero : _mm512_sub_epi32(zero, totals);
      EDGEMOE_UNROLL
      for (std::size_t r = 0; r < kRows; ++r) {
        const __m128 products = _mm_mul_ps(scales[r], x_scales);
        const __m512 dot = _mm512_cvtepi32_ps(_mm512_dpbusd_epi32(start, quants[r], bytes));
        acc[r][t] = _mm512_fmadd_ps(dot, Spread<0>(products), acc[r][t]);
        if constexpr (kHasMin) {
          acc[r][t] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(totals), Spread<1>(products), acc[r][t]);
        }
      }
    }
  }

  static __m256i Quants(const std::byte* block) { return Load32(block + sizeof(HalfBits)); }

  // Lane kLane in the lower half, kLane + 2 in the upper.
  template <int kLane>
  static __m512 Spread(__m128 v) {
    const __m512i index = Join(_mm256_set1_epi32(kLane), _mm256_set1_epi32(kLane + 2));
    return _mm512_permutexvar_ps(index, _mm512_castps128_ps512(v));
  }
};

// 16 bytes of nibble pairs each: the low nibbles of `first`, its high ones, then those of `second`.
inline __m512i SpreadNibbles(const std::byte* first, const std::byte* second) {
  const __m512i pairs =
      Join(_mm256_broadcastsi128_si256(Load16(first)), _mm256_broadcastsi128_si256(Load16(second)));
  const __m256i shifts = _mm256_set_m128i(_mm_set1_epi16(4), _mm_setzero_si128());
  return _mm512_and_si512(_mm512_srlv_epi16(pairs, Join(shifts, shifts)), _mm512_set1_epi8(15));
}

// Adds 16 to each byte whose bit is set in the 32 bits at `first` and those at `second`.
inline __m512i AddFifthBits(__m512i quants, const std::byte* first, const std::byte* second) {
  const __mmask64 set = LoadAs<std::uint32_t>(first) |
                        static_cast<std::uint64_t>(LoadAs<std::uint32_t>(second)) << 32;
  return _mm512_mask_add_epi8(quants, set, quants, _mm512_set1_epi8(16));
}

// values[i] + centre for each index below 16.
inline __m512i LookUp(const std::int8_t* values, int centre, __m512i indices) {
  const __m128i table = _mm_add_epi8(Load16(values), _mm_set1_epi8(static_cast<char>(centre)));
  return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(table), indices);
}

}  // namespace
}  // namespace edgemoe::avx512
