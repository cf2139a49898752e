// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/kernels/x86_avx512/simd.h"
#include "engine/quant/block_formats.h"

namespace edgemoe::avx512 {
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

// sums + scale * dots in every lane, for |dots| < 2^15 and scales in the lower 16 bits of each
// lane, the upper ones zero: one multiply of 16-bit pairs in which the upper half counts nothing.
inline __m512i AddScaledDots(__m512i sums, __m512i dots, __m512i scales) {
  return _mm512_dpwssd_epi32(sums, dots, scales);
}

// Q4_K and Q5_K against Q8_K. Unpack(block, j, &first, &second) gives elements 128 * j ... + 63 and
// the 64 after these, as unsigned bytes below 32.
template <class Weights>
struct MinsFormat {
  static constexpr std::size_t kRowTile = 1;

  template <std::size_t kRows, std::size_t kTokens>
  static void Dot(const std::byte* weights, std::size_t, const std::byte* const (&x)[kTokens],
                  std::size_t columns, float (&sums)[kRows][kTokens]) {
    static_assert(kRows == kRowTile);
    __m512 acc[kTokens];
    __m256 offsets[kTokens];
    EDGEMOE_UNROLL
    for (std::size_t t = 0; t < kTokens; ++t) {
      acc[t] = _mm512_setzero_ps();
      offsets[t] = _mm256_setzero_ps();
    }
    for (std::size_t block = 0; block < columns / kSuperBlock; ++block) {
      const std::byte* w = weights + block * Weights::kBlockBytes;
      const std::size_t at = block * sizeof(BlockQ8_K);
      const ScalesAndMins packed = UnpackScales(w + 2 * sizeof(HalfBits));
      const __m128i min_bytes = _mm_set1_epi64x(static_cast<long long>(packed.mins));
      const __m256i mins = _mm256_cvtepu8_epi16(_mm_unpacklo_epi8(min_bytes, min_bytes));
      const __m512i scales = _mm512_set1_epi64(static_cast<long long>(packed.scales));
      __m512i dots[kTokens];
      EDGEMOE_UNROLL
      for (std::size_t t = 0; t < kTokens; ++t) dots[t] = _mm512_setzero_si512();
      EDGEMOE_UNROLL
      for (int j = 0; j < 2; ++j) {
        __m512i quants[2];
        Weights::Unpack(w, j, &quants[0], &quants[1]);
        EDGEMOE_UNROLL
        for (int part = 0; part < 2; ++part) {
          const int run = 2 * j + part;
          const __m512i scale = ScalesOf(scales, run);
          EDGEMOE_UNROLL
          for (std::size_t t = 0; t < kTokens; ++t) {
            const __m512i a = Load64(x[t] + at + kQuantsAt + 64 * run);
            const __m512i p = _mm512_dpbusd_epi32(_mm512_setzero_si512(), quants[part], a);
            dots[t] = AddScaledDots(dots[t], p, scale);
          }
        }
      }
      const __m512 d = BroadcastHalf(w);
      const __m256 dmin = Lower(BroadcastHalf(w + sizeof(HalfBits)));
      EDGEMOE_UNROLL
      for (std::size_t t = 0; t < kTokens; ++t) {
        const __m512 dx = BroadcastFloat(x[t] + at);
        const __m256i offset = _mm256_madd_epi16(mins, Load32(x[t] + at + kSumsAt));
        acc[t] = _mm512_fmadd_ps(_mm512_mul_ps(d, dx), _mm512_cvtepi32_ps(dots[t]), acc[t]);
        offsets[t] =
            _mm256_fmadd_ps(_mm256_mul_ps(dmin, Lower(dx)), _mm256_cvtepi32_ps(offset), offsets[t]);
      }
    }
    EDGEMOE_UNROLL
    for (std::size_t t = 0; t < kTokens; ++t) {
      sums[0][t] = Sum(_mm512_sub_ps(acc[t], _mm512_zextps256_ps512(offsets[t])));
    }
  }

  // Byte 2 * run of the eight scales in the lower eight lanes, the next one in the upper eight.
  static __m512i ScalesOf(__m512i scales, int run) {
    const int zeros = static_cast<int>(0x80808000u);
    const __m256i lower = _mm256_set1_epi32(zeros | (2 * run));
    const __m256i upper = _mm256_set1_epi32(zeros | (2 * run + 1));
    return _mm512_shuffle_epi8(scales, Join(lower, upper));
  }
};

// Q2_K, Q3_K and Q6_K against Q8_K: sub-blocks of 16. Unpack(block, half, &first, &second) gives
// the 128 elements of one half of the block as unsigned bytes below 64, of which kCentre stands for
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
    __m512 acc[kTokens];
    EDGEMOE_UNROLL
    for (std::size_t t = 0; t < kTokens; ++t) acc[t] = _mm512_setzero_ps();
    for (std::size_t block = 0; block < columns / kSuperBlock; ++block) {
      const std::byte* w = weights + block * Weights::kBlockBytes;
      const std::size_t at = block * sizeof(BlockQ8_K);
      const __m256i scales = Weights::Scales(w);
      // What the sums of the activations are multiplied with.
      const __m256i offsets = Offsets(w, scales);
      __m256i totals[kTokens];
      __m512i dots[kTokens];
      EDGEMOE_UNROLL
      for (std::size_t t = 0; t < kTokens; ++t) {
        totals[t] = _mm256_madd_epi16(offsets, Load32(x[t] + at + kSumsAt));
        dots[t] = kHasMins ? _mm512_setzero_si512() : _mm512_zextsi256_si512(totals[t]);
      }
      const __m512i all_scales = _mm512_castsi256_si512(scales);
      EDGEMOE_UNROLL
      for (int half = 0; half < 2; ++half) {
        __m512i quants[2];
        Weights::Unpack(w, half, &quants[0], &quants[1]);
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
      const __m512 d = BroadcastHalf(w + Weights::kScaleAt);
      EDGEMOE_UNROLL
      for (std::size_t t = 0; t < kTokens; ++t) {
        const __m512 dx = BroadcastFloat(x[t] + at);
        acc[t] = _mm512_fmadd_ps(_mm512_mul_ps(d, dx), _mm512_cvtepi32_ps(dots[t]), acc[t]);
        if constexpr (kHasMins) {
          const __m512 dmin = BroadcastHalf(w + Weights::kScaleAt + sizeof(HalfBits));
          const __m512i total = _mm512_zextsi256_si512(totals[t]);
          acc[t] = _mm512_fnmadd_ps(_mm512_mul_ps(dmin, dx), _mm512_cvtepi32_ps(total), acc[t]);
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

  // Scale 4 * run + i in the lower 16 bits of the four lanes of quarter i.
  static __m512i ScalesOf(__m512i scales, int run) {
    const __m512i quarters = _mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
    const __m512i index = _mm512_add_epi32(quarters, _mm512_set1_epi32(4 * run));
    return _mm512_maskz_permutexvar_epi16(0x55555555, index, scales);
  }
};

// 64 bytes of nibble pairs hold runs 0, 2 (low) and 1, 3 (high) of 32 elements: brings them in
// order.
inline void SplitNibbles(__m512i pairs, __m512i* first, __m512i* second) {
  const __m512i mask = _mm512_set1_epi8(15);
  const __m512i low = _mm512_and_si512(pairs, mask);
  const __m512i high = _mm512_and_si512(_mm512_srli_epi16(pairs, 4), mask);
  *first = _mm512_shuffle_i64x2(low, high, 0x44);
  *second = _mm512_shuffle_i64x2(low, high, 0xee);
}

// The two-bit quants of 64 elements of Q2_K and Q3_K, of which four runs of 32 lie in 32 bytes:
// those of runs 2 * part and 2 * part + 1.
inline __m512i TwoBitQuants(const std::byte* qs, int part) {
  const __m256i four_runs = Load32(qs);
  const __m512i shifts = Join(_mm256_set1_epi16(static_cast<short>(4 * part)),
                              _mm256_set1_epi16(static_cast<short>(4 * part + 2)));
  return _mm512_and_si512(_mm512_srlv_epi16(Join(four_runs, four_runs), shifts),
                          _mm512_set1_epi8(3));
}

// 32 bytes of bits, each bit of a byte for another run: adds `value` to the elements in the lower
// half whose bit number `bit` is set, and to those in the upper half by the next bit.
inline __m512i AddHighBits(__m512i quants, const std::byte* bits, int bit, int value) {
  const __m256i lower = _mm256_set1_epi8(static_cast<char>(1 << bit));
  const __m256i upper = _mm256_set1_epi8(static_cast<char>(2 << bit));
  const __m256i bytes = Load32(bits);
  const __mmask64 set = _mm512_test_epi8_mask(Join(bytes, bytes), Join(lower, upper));
  return _mm512_mask_add_epi8(quants, set, quants, _mm512_set1_epi8(static_cast<char>(value)));
}

}  // namespace
}  // namespace edgemoe::avx512
