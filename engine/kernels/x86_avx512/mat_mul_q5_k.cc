// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/kernel_functions.h"
#include "engine/kernels/x86_avx512/mat_mul_k.h"
#include "engine/kernels/x86_avx512/mat_mul_tile.h"

namespace edgemoe::avx512 {
namespace {

struct Q5_K {
  static constexpr std::size_t kBlockBytes = sizeof(BlockQ5_K);
  static void Unpack(const std::byte* block, int j, __m512i* first, __m512i* second) {
    SplitNibbles(Load64(block + offsetof(BlockQ5_K, qs) + 64 * j), first, second);
    const __m256i qh = Load32(block + offsetof(BlockQ5_K, qh));
    const __m512i fifths = Join(qh, qh);
    *first = AddFifth(*first, fifths, 4 * j);
    *second = AddFifth(*second, fifths, 4 * j + 2);
  }

  // Bit `bit` stands for the lower half of the bytes, the next one for the upper half.
  static __m512i AddFifth(__m512i quants, __m512i fifths, int bit) {
    const __m256i lower = _mm256_set1_epi8(static_cast<char>(1 << bit));
    const __m256i upper = _mm256_set1_epi8(static_cast<char>(2 << bit));
    const __mmask64 set = _mm512_test_epi8_mask(fifths, Join(lower, upper));
    return _mm512_mask_add_epi8(quants, set, quants, _mm512_set1_epi8(16));
  }
};

}  // namespace

void MatMulQ5_K(const MatMulArgs& args) { MultiplyTiled<MinsFormat<Q5_K>>(args); }

}  // namespace edgemoe::avx512
