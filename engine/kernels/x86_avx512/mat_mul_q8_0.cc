// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/kernel_functions.h"
#include "engine/kernels/x86_avx512/mat_mul_q8.h"
#include "engine/kernels/x86_avx512/mat_mul_tile.h"

namespace edgemoe::avx512 {
namespace {

struct Q8_0 {
  static constexpr std::size_t kBlockBytes = sizeof(BlockQ8_0);
  static constexpr int kCentre = 128;
  static __m512i Unpack(const std::byte* first, const std::byte* second) {
    constexpr std::size_t kAt = offsetof(BlockQ8_0, qs);
    const __m512i quants = Join(Load32(first + kAt), Load32(second + kAt));
    return _mm512_xor_si512(quants, _mm512_set1_epi8(-128));
  }
  static __m128 Scales(const std::byte* first, const std::byte* second) {
    return HalfPairs(first, second);
  }
};

}  // namespace

void MatMulQ8_0(const MatMulArgs& args) { MultiplyTiled<SmallBlockFormat<Q8_0>>(args); }

}  // namespace edgemoe::avx512
