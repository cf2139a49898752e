// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/kernel_functions.h"
#include "engine/kernels/x86_avx512/mat_mul_k.h"
#include "engine/kernels/x86_avx512/mat_mul_tile.h"

namespace edgemoe::avx512 {
namespace {

struct Q6_K {
  static constexpr std::size_t kBlockBytes = sizeof(BlockQ6_K);
  static constexpr std::size_t kScaleAt = offsetof(BlockQ6_K, d);
  static constexpr int kCentre = 32;

  static __m256i Scales(const std::byte* block) {
    return _mm256_cvtepi8_epi16(Load16(block + offsetof(BlockQ6_K, scales)));
  }

  static void Unpack(const std::byte* block, int half, __m512i* first, __m512i* second) {
    const __m512i low_mask = _mm512_set1_epi8(15);
    const __m512i high_mask = _mm512_set1_epi8(0x30);
    const __m512i ql = Load64(block + 64 * half);
    const __m256i qh = Load32(block + offsetof(BlockQ6_K, qh) + 32 * half);
    const __m512i both = Join(qh, qh);
    const __m512i left = Join(_mm256_set1_epi16(4), _mm256_set1_epi16(2));
    const __m512i right = Join(_mm256_setzero_si256(), _mm256_set1_epi16(2));
    const __m512i high0 = _mm512_and_si512(_mm512_sllv_epi16(both, left), high_mask);
    const __m512i high1 = _mm512_and_si512(_mm512_srlv_epi16(both, right), high_mask);
    *first = _mm512_or_si512(_mm512_and_si512(ql, low_mask), high0);
    *second = _mm512_or_si512(_mm512_and_si512(_mm512_srli_epi16(ql, 4), low_mask), high1);
  }
};

}  // namespace

void MatMulQ6_K(const MatMulArgs& args) { MultiplyTiled<SixteensFormat<Q6_K>>(args); }

}  // namespace edgemoe::avx512
