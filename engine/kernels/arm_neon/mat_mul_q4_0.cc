// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/arm_neon/mat_mul_q8.h"
#include "engine/kernels/arm_neon/mat_mul_tile.h"
#include "engine/kernels/kernel_functions.h"

namespace edgemoe::neon {
namespace {

struct Q4_0 {
  static constexpr std::size_t kBlockBytes = sizeof(BlockQ4_0);
  static int8x16x2_t Unpack(const std::byte* block) {
    const uint8x16_t pairs = LoadUnsigned(block + sizeof(HalfBits));
    const int8x16_t low = vreinterpretq_s8_u8(vandq_u8(pairs, vdupq_n_u8(15)));
    const int8x16_t high = vreinterpretq_s8_u8(vshrq_n_u8(pairs, 4));
    return {{vsubq_s8(low, vdupq_n_s8(8)), vsubq_s8(high, vdupq_n_s8(8))}};
  }
};

}  // namespace

void MatMulQ4_0(const MatMulArgs& args) { MultiplyTiled<SmallBlockFormat<Q4_0>>(args); }

}  // namespace edgemoe::neon
