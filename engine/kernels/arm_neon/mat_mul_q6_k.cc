// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/arm_neon/mat_mul_k.h"
#include "engine/kernels/arm_neon/mat_mul_tile.h"
#include "engine/kernels/kernel_functions.h"

namespace edgemoe::neon {
namespace {

struct Q6_K {
  static constexpr std::size_t kBlockBytes = sizeof(BlockQ6_K);
  static constexpr std::size_t kScaleAt = offsetof(BlockQ6_K, d);
  static constexpr float kUnit = 1;
  static constexpr bool kHasMins = false;

  static int8x16_t Scales(const std::byte* block) {
    return LoadBytes(block + offsetof(BlockQ6_K, scales));
  }

  static void Unpack(const std::byte* block, int half, int8x16_t (&quants)[8]) {
    const std::byte* ql = block + 64 * half;
    const std::byte* qh = block + offsetof(BlockQ6_K, qh) + 32 * half;
    EDGEMOE_UNROLL
    for (int i = 0; i < 2; ++i) {
      const uint8x16_t a = LoadUnsigned(ql + 16 * i);
      const uint8x16_t b = LoadUnsigned(ql + 32 + 16 * i);
      const uint8x16_t h = LoadUnsigned(qh + 16 * i);
      const uint8x16_t nibble = vdupq_n_u8(15);
      quants[i] = Centre(vandq_u8(a, nibble), vshlq_n_u8(h, 4));
      quants[i + 2] = Centre(vandq_u8(b, nibble), vshlq_n_u8(h, 2));
      quants[i + 4] = Centre(vshrq_n_u8(a, 4), h);
      quants[i + 6] = Centre(vshrq_n_u8(b, 4), vshrq_n_u8(h, 2));
    }
  }

  static int8x16_t Centre(uint8x16_t low, uint8x16_t high) {
    const uint8x16_t quant = vorrq_u8(low, vandq_u8(high, vdupq_n_u8(0x30)));
    return vsubq_s8(vreinterpretq_s8_u8(quant), vdupq_n_s8(32));
  }
};

}  // namespace

void MatMulQ6_K(const MatMulArgs& args) { MultiplyTiled<SixteensFormat<Q6_K>>(args); }

}  // namespace edgemoe::neon
