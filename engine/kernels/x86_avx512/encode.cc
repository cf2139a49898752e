// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/kernel_functions.h"
#include "engine/kernels/x86_avx512/simd.h"
#include "engine/quant/block_formats.h"

namespace edgemoe::avx512 {
namespace {

constexpr HalfBits kHalfNan = 0x7e00;

HalfBits ToHalfBits(float value) {
  const __m128i half = _mm_cvtps_ph(_mm_set_ss(value), _MM_FROUND_TO_NEAREST_INT);
  return static_cast<HalfBits>(_mm_cvtsi128_si32(half));
}

// The largest magnitude of n elements, n a multiple of 16; NaN when there is one.
float LargestMagnitude(const float* x, std::size_t n) {
  __m512 largest = _mm512_setzero_ps();
  unsigned nans = 0;
  for (std::size_t i = 0; i < n; i += kLanes) {
    const __m512 v = _mm512_loadu_ps(x + i);
    largest = _mm512_max_ps(_mm512_abs_ps(v), largest);
    nans |= _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q);
  }
  return nans != 0 ? __builtin_nanf("") : _mm512_reduce_max_ps(largest);
}

// 16 elements times `inverse`, to the nearest integers, ties to even, within [-127, 127].
__m128i Round16(const float* x, __m512 inverse) {
  __m512 v = _mm512_mul_ps(_mm512_loadu_ps(x), inverse);
  v = _mm512_max_ps(v, _mm512_set1_ps(-127.0f));
  v = _mm512_min_ps(v, _mm512_set1_ps(127.0f));
  return _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(v));
}

}  // namespace

void EncodeF32(const float* x, std::size_t n, std::byte* encoded) {
  std::memcpy(encoded, x, n * sizeof(float));
}

void EncodeF16(const float* x, std::size_t n, std::byte* encoded) {
  ToHalf(x, n, reinterpret_cast<std::uint16_t*>(encoded));
}

void EncodeBF16(const float* x, std::size_t n, std::byte* encoded) {
  for (std::size_t i = 0; i < n; i += kLanes) {
    const std::size_t count = LanesAt(i, n);
    const __m512 v = Load(x + i, count);
    const __m512i bits = _mm512_castps_si512(v);
    const __m512i upper = _mm512_srli_epi32(bits, 16);
    const __m512i odd = _mm512_and_si512(upper, _mm512_set1_epi32(1));
    const __m512i half = _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff));
    const __m512i rounded = _mm512_srli_epi32(_mm512_add_epi32(bits, half), 16);
    const __mmask16 nan = _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q);
    const __m512i words = _mm512_mask_or_epi32(rounded, nan, upper, _mm512_set1_epi32(64));
    _mm256_mask_storeu_epi16(encoded + i * sizeof(std::uint16_t), MaskOf(count),
                             _mm512_cvtepi32_epi16(words));
  }
}

void EncodeQ8_0(const float* x, std::size_t n, std::byte* encoded) {
  for (std::size_t i = 0; i < n; i += kSmallBlock, encoded += sizeof(BlockQ8_0)) {
    const float largest = LargestMagnitude(x + i, kSmallBlock);
    BlockQ8_0 block = {};
    if (largest > 0) {
      block.d = ToHalfBits(largest / 127.0f);
      const __m512 inverse = _mm512_set1_ps(127.0f / largest);
      for (std::size_t j = 0; j < kSmallBlock; j += kLanes) {
        const __m128i quants = Round16(x + i + j, inverse);
        std::memcpy(block.qs + j, &quants, sizeof(quants));
      }
    } else if (largest != largest) {
      block.d = kHalfNan;
    }
    std::memcpy(encoded, &block, sizeof(block));
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
      for (std::size_t j = 0; j < kSuperBlock; j += kLanes) {
        const __m128i quants = Round16(x + i + j, _mm512_set1_ps(inverse));
        std::memcpy(block.qs + j, &quants, sizeof(quants));
        __m128i sums = _mm_dpbusd_epi32(_mm_setzero_si128(), _mm_set1_epi8(1), quants);
        sums = _mm_add_epi32(sums, _mm_shuffle_epi32(sums, 0x4e));
        sums = _mm_add_epi32(sums, _mm_shuffle_epi32(sums, 0xb1));
        block.bsums[j / kLanes] = static_cast<std::int16_t>(_mm_cvtsi128_si32(sums));
      }
    }
    std::memcpy(encoded, &block, sizeof(block));
  }
}

}  // namespace edgemoe::avx512
