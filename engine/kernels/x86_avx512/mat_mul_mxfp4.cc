// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/kernel_functions.h"
#include "engine/kernels/x86_avx512/mat_mul_q8.h"
#include "engine/kernels/x86_avx512/mat_mul_tile.h"
#include "engine/quant/codebooks.h"

namespace edgemoe::avx512 {
namespace {

constexpr int kFloatFractionBits = 23;

struct MXFP4 {
  static constexpr std::size_t kBlockBytes = sizeof(BlockMXFP4);
  static constexpr int kCentre = 12;
  static __m512i Unpack(const std::byte* first, const std::byte* second) {
    constexpr std::size_t kAt = offsetof(BlockMXFP4, qs);
    return LookUp(kMxfp4Values, kCentre, SpreadNibbles(first + kAt, second + kAt));
  }
  static __m128 Scales(const std::byte* first, const std::byte* second) {
    const __m128i exponents = _mm_insert_epi32(_mm_cvtsi32_si128(LoadAs<std::uint8_t>(first)),
                                               LoadAs<std::uint8_t>(second), 2);
    // 2^(e - 128): the exponent of a float, or one bit of a subnormal one. Lanes 1 and 3, which
    // nobody uses, stay away from subnormals, whose products are slow.
    const __m128i normal =
        _mm_slli_epi32(_mm_sub_epi32(exponents, _mm_set1_epi32(1)), kFloatFractionBits);
    const __mmask8 subnormal = _mm_mask_cmplt_epu32_mask(5, exponents, _mm_set1_epi32(2));
    const __m128i least = _mm_set1_epi32(1 << (kFloatFractionBits - 2));
    return _mm_castsi128_ps(_mm_mask_sllv_epi32(normal, subnormal, least, exponents));
  }
};

}  // namespace

void MatMulMXFP4(const MatMulArgs& args) { MultiplyTiled<SmallBlockFormat<MXFP4>>(args); }

}  // namespace edgemoe::avx512
