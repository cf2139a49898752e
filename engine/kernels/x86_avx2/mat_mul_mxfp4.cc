// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/kernel_functions.h"
#include "engine/kernels/x86_avx2/mat_mul_q8.h"
#include "engine/kernels/x86_avx2/mat_mul_tile.h"
#include "engine/quant/codebooks.h"

namespace edgemoe::avx2 {
namespace {

struct MXFP4 {
  static constexpr std::size_t kBlockBytes = sizeof(BlockMXFP4);
  static constexpr bool kHasMin = false;
  // 2^(e - 128): the exponent of a float, or one bit of a subnormal one.
  static __m256 Scale(const std::byte* block) {
    constexpr int kFractionBits = 23;
    const std::uint32_t e = LoadAs<std::uint8_t>(block);
    const std::uint32_t bits = e < 2 ? 1u << (kFractionBits - 2) << e : (e - 1) << kFractionBits;
    return _mm256_castsi256_ps(_mm256_set1_epi32(static_cast<int>(bits)));
  }
  static __m256i Unpack(const std::byte* block) {
    return LookUp(kMxfp4Values, SpreadNibbles(block + offsetof(BlockMXFP4, qs)));
  }
};

}  // namespace

void MatMulMXFP4(const MatMulArgs& args) { MultiplyTiled<SmallBlockFormat<MXFP4>>(args); }

}  // namespace edgemoe::avx2
