// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/kernel_functions.h"
#include "engine/kernels/x86_avx2/simd.h"
#include "engine/quant/block_formats.h"

namespace edgemoe::avx2 {
namespace {

constexpr HalfBits kHalfNan = 0x7e00;

HalfBits ToHalfBits(float value) {
  const __m128i half = _mm_cvtps_ph(_mm_set_ss(value), _MM_FROUND_TO_NEAREST_INT);
  return static_cast<HalfBits>(_mm_cvtsi128_si32(half));
}

// The largest magnitude of n elements, n a multiple of 8; NaN when there is one.
float LargestMagnitude(const float* x, std::size_t n) {
  const __m256 sign = _mm256_set1_ps(-0.0f);
  __m256 largest = _mm256_setzero_ps();
  __m256 nans = _mm256_setzero_ps();
  for (std::size_t i = 0; i < n; i += 8) {
    const __m256 v = _mm256_loadu_ps(x + i);
    largest = _mm256_max_ps(_mm256_andnot_ps(sign, v), largest);
    nans = _mm256_or_ps(nans, _mm256_cmp_ps(v, v, _CMP_UNORD_Q));
  }
  if (_mm256_movemask_ps(nans) != 0) return __builtin_nanf("");
  return Largest(largest);
}

__m256i Round8(const float* x, __m256 inverse) {
  __m256 v = _mm256_mul_ps(_mm256_loadu_ps(x), inverse);
  v = _mm256_max_ps(v, _mm256_set1_ps(-127.0f));
  v = _mm256_min_ps(v, _mm256_set1_ps(127.0f));
  return _mm256_cvtps_epi32(v);
}

// 32 elements times `inverse`, to the nearest integers, ties to even, within [-127, 127].
__m256i Round32(const float* x, __m256 inverse) {
  const __m256i a = _mm256_packs_epi32(Round8(x, inverse), Round8(x + 8, inverse));
  const __m256i b = _mm256_packs_epi32(Round8(x + 16, inverse), Round8(x + 24, inverse));
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);  // packing works by half
  return _mm256_permutevar8x32_epi32(_mm256_packs_epi16(a, b), order);
}

}  // namespace

void EncodeF32(const float* x, std::size_t n, std::byte* encoded) {
  std::memcpy(encoded, x, n * sizeof(float));
}

void EncodeF16(const float* x, std::size_t n, std::byte* encoded) {
  ToHalf(x, n, reinterpret_cast<std::uint16_t*>(encoded));
}

void EncodeBF16(const float* x, std::size_t n, std::byte* encoded) {
  for (std::size_t i = 0; i < n; i += 8) {
    const std::size_t count = n - i < 8 ? n - i : 8;
    const __m256 v = count == 8 ? _mm256_loadu_ps(x + i) : LoadSome(x + i, count);
    const __m256i bits = _mm256_castps_si256(v);
    const __m256i upper = _mm256_srli_epi32(bits, 16);
    const __m256i odd = _mm256_and_si256(upper, _mm256_set1_epi32(1));
    const __m256i half = _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff));
    const __m256i rounded = _mm256_srli_epi32(_mm256_add_epi32(bits, half), 16);
    const __m256i quiet = _mm256_or_si256(upper, _mm256_set1_epi32(64));
    const __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(v, v, _CMP_UNORD_Q));
    const __m256i words = _mm256_blendv_epi8(rounded, quiet, nan);
    const __m128i packed =
        _mm_packus_epi32(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
    std::memcpy(encoded + i * sizeof(std::uint16_t), &packed, count * sizeof(std::uint16_t));
  }
}

void EncodeQ8_0(const float* x, std::size_t n, std::byte* encoded) {
  for (std::size_t i = 0; i < n; i += kSmallBlock, encoded += sizeof(BlockQ8_0)) {
    const float largest = LargestMagnitude(x + i, kSmallBlock);
    HalfBits d = 0;
    __m256i quants = _mm256_setzero_si256();
    if (largest > 0) {
      d = ToHalfBits(largest / 127.0f);
      quants = Round32(x + i, _mm256_set1_ps(127.0f / largest));
    } else if (largest != largest) {
      d = kHalfNan;
    }
    std::memcpy(encoded, &d, sizeof(d));
    std::memcpy(encoded + sizeof(d), &quants, sizeof(quants));
  }
}

void EncodeQ8_K(const float* x, std::size_t n, std::byte* encoded) {
  for (std::size_t i = 0; i < n; i += kSuperBlock, encoded += sizeof(BlockQ8_K)) {
    const float largest = LargestMagnitude(x + i, kSuperBlock);
    BlockQ8_K block = {};
    block.d = largest;
    if (largest > 0) {
      const float inverse = 127.0f / largest;
      block.d = 1.0f / inverse;
      const __m256i ones = _mm256_set1_epi8(1);
      for (std::size_t j = 0; j < kSuperBlock; j += 32) {
        const __m256i quants = Round32(x + i + j, _mm256_set1_ps(inverse));
        std::memcpy(block.qs + j, &quants, sizeof(quants));
        // Sums of pairs, of fours, of eights, of sixteens; packing keeps to its half.
        __m256i sums = _mm256_maddubs_epi16(ones, quants);
        sums = _mm256_madd_epi16(sums, _mm256_set1_epi16(1));
        sums = _mm256_hadd_epi32(sums, sums);
        sums = _mm256_hadd_epi32(sums, sums);
        block.bsums[j / 16] = static_cast<std::int16_t>(_mm256_extract_epi32(sums, 0));
        block.bsums[j / 16 + 1] = static_cast<std::int16_t>(_mm256_extract_epi32(sums, 4));
      }
    }
    std::memcpy(encoded, &block, sizeof(block));
  }
}

}  // namespace edgemoe::avx2
