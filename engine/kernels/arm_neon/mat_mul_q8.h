// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/kernels/arm_neon/simd.h"
#include "engine/quant/block_formats.h"

namespace edgemoe::neon {
namespace {

// Weights in blocks of 32 with a scale of their own against Q8_0 activations. Unpack(block) gives
// signed bytes, Scale(block) the scale, and where kHasMin, Min(block) the minimum.
template <class Weights>
struct SmallBlockFormat {
  template <std::size_t kTokens>
  static void Dot(const std::byte* weights, const std::byte* const* x, std::size_t columns,
                  float* sums) {
    float32x4_t acc[kTokens];
    EDGEMOE_UNROLL
    for (std::size_t t = 0; t < kTokens; ++t) acc[t] = vdupq_n_f32(0);
    for (std::size_t block = 0; block < columns / kSmallBlock; ++block) {
      const std::byte* w = weights + block * Weights::kBlockBytes;
      const int8x16x2_t quants = Weights::Unpack(w);
      const float scale = Weights::Scale(w);
      EDGEMOE_UNROLL
      for (std::size_t t = 0; t < kTokens; ++t) {
        const std::byte* a = x[t] + block * sizeof(BlockQ8_0);
        const int8x16x2_t bytes = {{LoadBytes(a + 2), LoadBytes(a + 18)}};
        const float x_scale = HalfAt(a);
        acc[t] = vfmaq_n_f32(acc[t], Products(quants, bytes), scale * x_scale);
        if constexpr (Weights::kHasMin) {
          const int8x16x2_t ones = {{vdupq_n_s8(1), vdupq_n_s8(1)}};
          acc[t] = vfmaq_n_f32(acc[t], Products(ones, bytes), Weights::Min(w) * x_scale);
        }
      }
    }
    EDGEMOE_UNROLL
    for (std::size_t t = 0; t < kTokens; ++t) sums[t] = vaddvq_f32(acc[t]);
  }

  // Sums of eight products a lane.
  static float32x4_t Products(int8x16x2_t a, int8x16x2_t b) {
    const int32x4_t first = vdotq_s32(vdupq_n_s32(0), a.val[0], b.val[0]);
    return vcvtq_f32_s32(vdotq_s32(first, a.val[1], b.val[1]));
  }
};

// The low nibbles of 16 bytes, then the high ones.
inline uint8x16x2_t SpreadNibbles(const std::byte* from) {
  const uint8x16_t pairs = LoadUnsigned(from);
  return {{vandq_u8(pairs, vdupq_n_u8(15)), vshrq_n_u8(pairs, 4)}};
}

// Adds 16 to each byte whose bit is set in the 32 bits at `from`.
inline uint8x16x2_t AddFifthBits(uint8x16x2_t quants, const std::byte* from) {
  const uint8x8_t bits = vreinterpret_u8_u32(vdup_n_u32(LoadAs<std::uint32_t>(from)));
  const uint8x16_t all = vcombine_u8(bits, bits);
  const uint8x16_t bit_of = vreinterpretq_u8_u64(vdupq_n_u64(0x8040201008040201u));
  const uint8x16_t byte_of = vcombine_u8(vdup_n_u8(0), vdup_n_u8(1));
  const uint8x16_t next_byte_of = vcombine_u8(vdup_n_u8(2), vdup_n_u8(3));
  const uint8x16_t fifth = vdupq_n_u8(16);
  const uint8x16_t low = vtstq_u8(vqtbl1q_u8(all, byte_of), bit_of);
  const uint8x16_t high = vtstq_u8(vqtbl1q_u8(all, next_byte_of), bit_of);
  return {{vorrq_u8(quants.val[0], vandq_u8(low, fifth)),
           vorrq_u8(quants.val[1], vandq_u8(high, fifth))}};
}

// quant - centre, as signed bytes.
inline int8x16x2_t Centre(uint8x16x2_t quants, int centre) {
  const int8x16_t centres = vdupq_n_s8(static_cast<int8_t>(centre));
  return {{vsubq_s8(vreinterpretq_s8_u8(quants.val[0]), centres),
           vsubq_s8(vreinterpretq_s8_u8(quants.val[1]), centres)}};
}

// values[i] for each index below 16.
inline int8x16x2_t LookUp(const std::int8_t* values, uint8x16x2_t indices) {
  const int8x16_t table = vld1q_s8(values);
  return {{vqtbl1q_s8(table, indices.val[0]), vqtbl1q_s8(table, indices.val[1])}};
}

}  // namespace
}  // namespace edgemoe::neon
