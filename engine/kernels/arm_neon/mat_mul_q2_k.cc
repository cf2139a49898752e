// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/arm_neon/mat_mul_k.h"
#include "engine/kernels/arm_neon/mat_mul_tile.h"
#include "engine/kernels/kernel_functions.h"

namespace edgemoe::neon {
namespace {

struct Q2_K {
  static constexpr std::size_t kBlockBytes = sizeof(BlockQ2_K);
  static constexpr std::size_t kScaleAt = offsetof(BlockQ2_K, d);
  static constexpr float kUnit = 1;
  static constexpr bool kHasMins = true;

  static int8x16_t Scales(const std::byte* block) {
    return vreinterpretq_s8_u8(vandq_u8(LoadUnsigned(block), vdupq_n_u8(15)));
  }
  static int8x16_t Mins(const std::byte* block) {
    return vreinterpretq_s8_u8(vshrq_n_u8(LoadUnsigned(block), 4));
  }
  static void Unpack(const std::byte* block, int half, int8x16_t (&quants)[8]) {
    const std::byte* qs = block + offsetof(BlockQ2_K, qs) + 32 * half;
    EDGEMOE_UNROLL
    for (int i = 0; i < 8; ++i) {
      quants[i] = vreinterpretq_s8_u8(TwoBits(LoadUnsigned(qs + i % 2 * 16), i / 2));
    }
  }
};

}  // namespace

void MatMulQ2_K(const MatMulArgs& args) { MultiplyTiled<SixteensFormat<Q2_K>>(args); }

}  // namespace edgemoe::neon
