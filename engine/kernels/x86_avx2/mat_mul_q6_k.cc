// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/kernel_functions.h"
#include "engine/kernels/x86_avx2/mat_mul_k.h"
#include "engine/kernels/x86_avx2/mat_mul_tile.h"

namespace edgemoe::avx2 {
namespace {

struct Q6_K {
  static constexpr std::size_t kBlockBytes = sizeof(BlockQ6_K);
  static constexpr std::size_t kScaleAt = offsetof(BlockQ6_K, d);
  static constexpr int kCentre = 32;

  static __m256i Scales(const std::byte* block) {
    return _mm256_cvtepi8_epi16(Load16(block + offsetof(BlockQ6_K, scales)));
  }

  static void Unpack(const std::byte* block, int half, __m256i (&runs)[4]) {
    const __m256i low_mask = _mm256_set1_epi8(15);
    const __m256i high_mask = _mm256_set1_epi8(0x30);
    const std::byte* ql = block + 64 * half;
    const __m256i a = Load32(ql);
    const __m256i b = Load32(ql + 32);
    const __m256i h = Load32(block + offsetof(BlockQ6_K, qh) + 32 * half);
    const __m256i high[4] = {_mm256_slli_epi16(h, 4), _mm256_slli_epi16(h, 2), h,
                             _mm256_srli_epi16(h, 2)};
    const __m256i low[4] = {a, b, _mm256_srli_epi16(a, 4), _mm256_srli_epi16(b, 4)};
    EDGEMOE_UNROLL
    for (int run = 0; run < 4; ++run) {
      runs[run] = _mm256_or_si256(_mm256_and_si256(low[run], low_mask),
                                  _mm256_and_si256(high[run], high_mask));
    }
  }
};

}  // namespace

void MatMulQ6_K(const MatMulArgs& args) { MultiplyTiled<SixteensFormat<Q6_K>>(args); }

}  // namespace edgemoe::avx2
