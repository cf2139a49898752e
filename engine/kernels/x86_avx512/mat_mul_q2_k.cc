// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/kernel_functions.h"
#include "engine/kernels/x86_avx512/mat_mul_k.h"
#include "engine/kernels/x86_avx512/mat_mul_tile.h"

namespace edgemoe::avx512 {
namespace {

struct Q2_K {
  static constexpr std::size_t kBlockBytes = sizeof(BlockQ2_K);
  static constexpr std::size_t kScaleAt = offsetof(BlockQ2_K, d);
  static constexpr int kCentre = 0;

  static __m256i Scales(const std::byte* block) {
    return _mm256_cvtepu8_epi16(_mm_and_si128(Load16(block), _mm_set1_epi8(15)));
  }
  static __m256i Mins(const std::byte* block) {
    return _mm256_cvtepu8_epi16(_mm_and_si128(_mm_srli_epi16(Load16(block), 4), _mm_set1_epi8(15)));
  }
  static void Unpack(const std::byte* block, int half, __m512i* first, __m512i* second) {
    const std::byte* qs = block + offsetof(BlockQ2_K, qs) + 32 * half;
    *first = TwoBitQuants(qs, 0);
    *second = TwoBitQuants(qs, 1);
  }
};

}  // namespace

void MatMulQ2_K(const MatMulArgs& args) { MultiplyTiled<SixteensFormat<Q2_K>>(args); }

}  // namespace edgemoe::avx512
