// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/arm_neon/mat_mul_k.h"
#include "engine/kernels/arm_neon/mat_mul_tile.h"
#include "engine/kernels/kernel_functions.h"

namespace edgemoe::neon {
namespace {

struct Q5_K {
  static constexpr std::size_t kBlockBytes = sizeof(BlockQ5_K);
  static void Unpack(const std::byte* block, int j, int8x16_t (&quants)[4]) {
    const uint8x16_t fifth = vdupq_n_u8(16);
    const int8x16_t down = vdupq_n_s8(static_cast<int8_t>(-2 * j));
    EDGEMOE_UNROLL
    for (int i = 0; i < 2; ++i) {
      const uint8x16_t pairs = LoadUnsigned(block + offsetof(BlockQ5_K, qs) + 32 * j + 16 * i);
      const uint8x16_t bits =
          vshlq_u8(LoadUnsigned(block + offsetof(BlockQ5_K, qh) + 16 * i), down);
      const uint8x16_t low = vandq_u8(pairs, vdupq_n_u8(15));
      const uint8x16_t high = vshrq_n_u8(pairs, 4);
      quants[i] = vreinterpretq_s8_u8(vorrq_u8(low, vandq_u8(vshlq_n_u8(bits, 4), fifth)));
      quants[i + 2] = vreinterpretq_s8_u8(vorrq_u8(high, vandq_u8(vshlq_n_u8(bits, 3), fifth)));
    }
  }
};

}  // namespace

void MatMulQ5_K(const MatMulArgs& args) { MultiplyTiled<MinsFormat<Q5_K>>(args); }

}  // namespace edgemoe::neon
