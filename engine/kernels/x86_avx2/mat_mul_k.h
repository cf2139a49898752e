// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/kernels/x86_avx2/simd.h"
#include "engine/quant/block_formats.h"

namespace edgemoe::avx2 {
namespace {

// Where the parts of a BlockQ8_K lie.
constexpr std::size_t kQuantsAt = sizeof(float);
constexpr std::size_t kSumsAt = kQuantsAt + kSuperBlock;

// The eight scales and eight minima of a Q4_K or Q5_K block, a byte each.
struct ScalesAndMins {
  std::uint64_t scales;
  std::uint64_t mins;
};
inline ScalesAndMins UnpackScales(const std::byte* packed) {
  const auto first = LoadAs<std::uint32_t>(packed);
  const auto second = LoadAs<std::uint32_t>(packed + 4);
  const auto nibbles = LoadAs<std::uint32_t>(packed + 8);
  const std::uint32_t upper_scales = (nibbles & 0x0f0f0f0fu) | (first >> 2 & 0x30303030u);
  const std::uint32_t upper_mins = (nibbles >> 4 & 0x0f0f0f0fu) | (second >> 2 & 0x30303030u);
  return {(first & 0x3f3f3f3fu) | std::uint64_t{upper_scales} << 32,
          (second & 0x3f3f3f3fu) | std::uint64_t{upper_mins} << 32};
}

// Q4_K and Q5_K against Q8_K. Unpack(block, j, &low, &high) gives elements 64 * j ... + 31 and the
// 32 after these, as unsigned bytes below 32.
template <class Weights>
struct MinsFormat {
  static constexpr std::size_t kRowTile = 1;

  template <std::size_t kRows, std::size_t kTokens>
  static void Dot(const std::byte* weights, std::size_t, const std::byte* const (&x)[kTokens],
                  std::size_t columns, float (&sums)[kRows][kTokens]) {
    static_assert(kRows == kRowTile);
    __m256 acc[kTokens];
    EDGEMOE_UNROLL
    for (std::size_t t = 0; t < kTokens; ++t) acc[t] = _mm256_setzero_ps();
    for (std::size_t block = 0; block < columns / kSuperBlock; ++block) {
      const std::byte* w = weights + block * Weights::kBlockBytes;
      const std::size_t at = block * sizeof(BlockQ8_K);
      const ScalesAndMins packed = UnpackScales(w + 2 * sizeof(HalfBits));
      const __m128i min_bytes = _mm_set1_epi64x(static_cast<long long>(packed.mins));
      const __m256i mins = _mm256_cvtepu8_epi16(_mm_unpacklo_epi8(min_bytes, min_bytes));
      const __m256i scales = _mm256_set1_epi64x(static_cast<long long>(packed.scales));
      __m256i dots[kTokens];
      EDGEMOE_UNROLL
      for (std::size_t t = 0; t < kTokens; ++t) dots[t] = _mm256_setzero_si256();
      EDGEMOE_UNROLL
      for (int j = 0; j < 4; ++j) {
        __m256i low;
        __m256i high;
        Weights::Unpack(w, j, &low, &high);
        const __m256i low_scale = ScaleOf(scales, 2 * j);
        const __m256i high_scale = ScaleOf(scales, 2 * j + 1);
        EDGEMOE_UNROLL
        for (std::size_t t = 0; t < kTokens; ++t) {
          const std::byte* a = x[t] + at + kQuantsAt + 64 * j;
          const __m256i p = _mm256_madd_epi16(_mm256_maddubs_epi16(low, Load32(a)), low_scale);
          const __m256i q =
              _mm256_madd_epi16(_mm256_maddubs_epi16(high, Load32(a + 32)), high_scale);
          dots[t] = _mm256_add_epi32(dots[t], _mm256_add_epi32(p, q));
        }
      }
      const __m256 d = BroadcastHalf(w);
      const __m256 dmin = BroadcastHalf(w + sizeof(HalfBits));
      EDGEMOE_UNROLL
      for (std::size_t t = 0; t < kTokens; ++t) {
        const __m256 dx = BroadcastFloat(x[t] + at);
        const __m256i offset = _mm256_madd_epi16(mins, Load32(x[t] + at + kSumsAt));
        acc[t] = _mm256_fmadd_ps(_mm256_mul_ps(d, dx), _mm256_cvtepi32_ps(dots[t]), acc[t]);
        acc[t] = _mm256_fnmadd_ps(_mm256_mul_ps(dmin, dx), _mm256_cvtepi32_ps(offset), acc[t]);
      }
    }
    EDGEMOE_UNROLL
    for (std::size_t t = 0; t < kTokens; ++t) sums[0][t] = Sum(acc[t]);
  }

  // Byte j of the eight scales in each 16-bit lane.
  static __m256i ScaleOf(__m256i scales, int j) {
    return _mm256_shuffle_epi8(scales, _mm256_set1_epi16(static_cast<short>(-32768 | j)));
  }
};

// Of eight scales in each half: number 2 * run in the lower half, the next one in the upper.
inline __m256i ScalesOfRun(__m256i scales, int run) {
  const __m128i first = _mm_set1_epi16(static_cast<short>(0x0100 + 0x0202 * 2 * run));
  return _mm256_shuffle_epi8(scales,
                             _mm256_set_m128i(_mm_add_epi8(first, _mm_set1_epi8(2)), first));
}

// Q2_K, Q3_K and Q6_K against Q8_K: sub-blocks of 16. Unpack(block, half, runs) gives the four runs
// of 32 elements of one half of the block as unsigned bytes below 64, of which kCentre stands for
// zero; Scales(block) the sixteen scales. Where kCentre is 0 the format has minima instead:
// Mins(block), and their scale behind the one at kScaleAt.
template <class Weights>
struct SixteensFormat {
  static constexpr std::size_t kRowTile = 1;
  static constexpr bool kHasMins = Weights::kCentre == 0;

  template <std::size_t kRows, std::size_t kTokens>
  static void Dot(const std::byte* weights, std::size_t, const std::byte* const (&x)[kTokens],
                  std::size_t columns, float (&sums)[kRows][kTokens]) {
    static_assert(kRows == kRowTile);
    __m256 acc[kTokens];
    EDGEMOE_UNROLL
    for (std::size_t t = 0; t < kTokens; ++t) acc[t] = _mm256_setzero_ps();
    for (std::size_t block = 0; block < columns / kSuperBlock; ++block) {
      const std::byte* w = weights + block * Weights::kBlockBytes;
      const std::size_t at = block * sizeof(BlockQ8_K);
      const __m256i scales = Weights::Scales(w);
      // What the sums of the activations are multiplied with.
      const __m256i offsets = Offsets(w, scales);
      __m256i totals[kTokens];
      __m256i dots[kTokens];
      EDGEMOE_UNROLL
      for (std::size_t t = 0; t < kTokens; ++t) {
        totals[t] = _mm256_madd_epi16(offsets, Load32(x[t] + at + kSumsAt));
        dots[t] = kHasMins ? _mm256_setzero_si256() : totals[t];
      }
      EDGEMOE_UNROLL
      for (int half = 0; half < 2; ++half) {
        __m256i runs[4];
        Weights::Unpack(w, half, runs);
        const __m128i eight =
            half == 0 ? _mm256_castsi256_si128(scales) : _mm256_extracti128_si256(scales, 1);
        const __m256i own_scales = _mm256_broadcastsi128_si256(eight);
        EDGEMOE_UNROLL
        for (int run = 0; run < 4; ++run) {
          const __m256i scale = ScalesOfRun(own_scales, run);
          EDGEMOE_UNROLL
          for (std::size_t t = 0; t < kTokens; ++t) {
            const __m256i a = Load32(x[t] + at + kQuantsAt + 128 * half + 32 * run);
            const __m256i p = _mm256_madd_epi16(_mm256_maddubs_epi16(runs[run], a), scale);
            dots[t] = _mm256_add_epi32(dots[t], p);
          }
        }
      }
      const __m256 d = BroadcastHalf(w + Weights::kScaleAt);
      EDGEMOE_UNROLL
      for (std::size_t t = 0; t < kTokens; ++t) {
        const __m256 dx = BroadcastFloat(x[t] + at);
        acc[t] = _mm256_fmadd_ps(_mm256_mul_ps(d, dx), _mm256_cvtepi32_ps(dots[t]), acc[t]);
        if constexpr (kHasMins) {
          const __m256 dmin = BroadcastHalf(w + Weights::kScaleAt + sizeof(HalfBits));
          acc[t] = _mm256_fnmadd_ps(_mm256_mul_ps(dmin, dx), _mm256_cvtepi32_ps(totals[t]), acc[t]);
        }
      }
    }
    EDGEMOE_UNROLL
    for (std::size_t t = 0; t < kTokens; ++t) sums[0][t] = Sum(acc[t]);
  }

  static __m256i Offsets(const std::byte* block, __m256i scales) {
    if constexpr (kHasMins) {
      return Weights::Mins(block);
    } else {
      return _mm256_mullo_epi16(scales, _mm256_set1_epi16(-Weights::kCentre));
    }
  }
};

// The two-bit quants of 128 elements of Q2_K and Q3_K.
inline void UnpackTwoBits(const std::byte* qs, __m256i (&runs)[4]) {
  const __m256i four_runs = Load32(qs);
  EDGEMOE_UNROLL
  for (int run = 0; run < 4; ++run) {
    runs[run] = _mm256_and_si256(_mm256_srli_epi16(four_runs, 2 * run), _mm256_set1_epi8(3));
  }
}

}  // namespace
}  // namespace edgemoe::avx2
