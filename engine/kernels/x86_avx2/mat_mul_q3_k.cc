// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/kernel_functions.h"
#include "engine/kernels/x86_avx2/mat_mul_k.h"
#include "engine/kernels/x86_avx2/mat_mul_tile.h"

namespace edgemoe::avx2 {
namespace {

struct Q3_K {
  static constexpr std::size_t kBlockBytes = sizeof(BlockQ3_K);
  static constexpr std::size_t kScaleAt = offsetof(BlockQ3_K, d);
  static constexpr int kCentre = 4;

  // The low nibbles of the first eight bytes, their high ones, and two bits of the last four for
  // each, four scales at a time.
  static __m256i Scales(const std::byte* block) {
    const std::byte* packed = block + offsetof(BlockQ3_K, scales);
    const __m128i nibbles = _mm_set1_epi64x(LoadAs<long long>(packed));
    const __m128i pairs = _mm_set1_epi32(LoadAs<int>(packed + 8));
    const __m128i low =
        _mm_and_si128(_mm_srlv_epi32(nibbles, _mm_setr_epi32(0, 0, 4, 4)), _mm_set1_epi8(15));
    const __m128i high =
        _mm_and_si128(_mm_srlv_epi32(pairs, _mm_setr_epi32(0, 2, 4, 6)), _mm_set1_epi8(3));
    const __m128i scales = _mm_or_si128(low, _mm_slli_epi16(high, 4));
    return _mm256_cvtepi8_epi16(_mm_sub_epi8(scales, _mm_set1_epi8(32)));
  }

  static void Unpack(const std::byte* block, int half, __m256i (&runs)[4]) {
    UnpackTwoBits(block + offsetof(BlockQ3_K, qs) + 32 * half, runs);
    const __m256i thirds = _mm256_srli_epi16(Load32(block), 4 * half);
    const __m256i third = _mm256_set1_epi8(4);
    const __m256i moved[4] = {_mm256_slli_epi16(thirds, 2), _mm256_slli_epi16(thirds, 1), thirds,
                              _mm256_srli_epi16(thirds, 1)};
    EDGEMOE_UNROLL
    for (int run = 0; run < 4; ++run) {
      runs[run] = _mm256_or_si256(runs[run], _mm256_and_si256(moved[run], third));
    }
  }
};

}  // namespace

void MatMulQ3_K(const MatMulArgs& args) { MultiplyTiled<SixteensFormat<Q3_K>>(args); }

}  // namespace edgemoe::avx2
