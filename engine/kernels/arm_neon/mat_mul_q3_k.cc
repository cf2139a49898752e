// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/arm_neon/mat_mul_k.h"
#include "engine/kernels/arm_neon/mat_mul_tile.h"
#include "engine/kernels/kernel_functions.h"

namespace edgemoe::neon {
namespace {

struct Q3_K {
  static constexpr std::size_t kBlockBytes = sizeof(BlockQ3_K);
  static constexpr std::size_t kScaleAt = offsetof(BlockQ3_K, d);
  static constexpr float kUnit = 1;
  static constexpr bool kHasMins = false;

  // The low nibbles of the first eight bytes, their high ones, and two bits of the last four for
  // each, four scales at a time.
  static int8x16_t Scales(const std::byte* block) {
    const std::byte* packed = block + offsetof(BlockQ3_K, scales);
    const uint8x8_t nibbles = vcreate_u8(LoadAs<std::uint64_t>(packed));
    const uint8x16_t low = vcombine_u8(vand_u8(nibbles, vdup_n_u8(15)), vshr_n_u8(nibbles, 4));
    const uint8x16_t pairs = vreinterpretq_u8_u32(vdupq_n_u32(LoadAs<std::uint32_t>(packed + 8)));
    const int8x16_t down = vreinterpretq_s8_u64(
        vcombine_u64(vcreate_u64(0xfefefefe00000000u), vcreate_u64(0xfafafafafcfcfcfcu)));
    const uint8x16_t high = vandq_u8(vshlq_u8(pairs, down), vdupq_n_u8(3));
    const uint8x16_t scales = vorrq_u8(low, vshlq_n_u8(high, 4));
    return vsubq_s8(vreinterpretq_s8_u8(scales), vdupq_n_s8(32));
  }

  static void Unpack(const std::byte* block, int half, int8x16_t (&quants)[8]) {
    const std::byte* qs = block + offsetof(BlockQ3_K, qs) + 32 * half;
    EDGEMOE_UNROLL
    for (int i = 0; i < 8; ++i) {
      const uint8x16_t low = TwoBits(LoadUnsigned(qs + i % 2 * 16), i / 2);
      const uint8x16_t third = vdupq_n_u8(static_cast<uint8_t>(1 << (4 * half + i / 2)));
      const uint8x16_t set = vtstq_u8(LoadUnsigned(block + i % 2 * 16), third);
      // Without its third bit a quant is four less.
      const int8x16_t less = vreinterpretq_s8_u8(vbicq_u8(vdupq_n_u8(4), set));
      quants[i] = vsubq_s8(vreinterpretq_s8_u8(low), less);
    }
  }
};

}  // namespace

void MatMulQ3_K(const MatMulArgs& args) { MultiplyTiled<SixteensFormat<Q3_K>>(args); }

}  // namespace edgemoe::neon
