// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/kernel_functions.h"
#include "engine/kernels/x86_avx2/mat_mul_k.h"
#include "engine/kernels/x86_avx2/mat_mul_tile.h"

namespace edgemoe::avx2 {
namespace {

struct Q4_K {
  static constexpr std::size_t kBlockBytes = sizeof(BlockQ4_K);
  static void Unpack(const std::byte* block, int j, __m256i* low, __m256i* high) {
    const __m256i mask = _mm256_set1_epi8(15);
    const __m256i pairs = Load32(block + offsetof(BlockQ4_K, qs) + 32 * j);
    *low = _mm256_and_si256(pairs, mask);
    *high = _mm256_and_si256(_mm256_srli_epi16(pairs, 4), mask);
  }
};

}  // namespace

void MatMulQ4_K(const MatMulArgs& args) { MultiplyTiled<MinsFormat<Q4_K>>(args); }

}  // namespace edgemoe::avx2
