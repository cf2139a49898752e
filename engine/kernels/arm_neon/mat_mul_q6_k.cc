// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/arm_neon/mat_mul_k.h"
#include "engine/kernels/arm_neon/mat_mul_tile.h"
#include "engine/kernels/kernel_functions.h"

namespace edgemoe::neon {
namespace {

struct Format {
  template <std::size_t kTokens>
  static void Dot(const std::byte* weights, const std::byte* const* x, std::size_t columns,
                  float* sums) {
    float32x4_t acc[kTokens];
    EDGEMOE_UNROLL
    for (std::size_t t = 0; t < kTokens; ++t) acc[t] = vdupq_n_f32(0);
    for (std::size_t block = 0; block < columns / kSuperBlock; ++block) {
      const std::byte* w = weights + block * sizeof(BlockQ6_K);
      const std::size_t at = block * sizeof(BlockQ8_K);
      int32x4_t dots[kTokens];
      EDGEMOE_UNROLL
      for (std::size_t t = 0; t < kTokens; ++t) dots[t] = vdupq_n_s32(0);
      for (int half = 0; half < 2; ++half) {
        int8x16_t quants[8];
        Unpack(w, half, quants);
        EDGEMOE_UNROLL
        for (int i = 0; i < 8; ++i) {
          const int j = 8 * half + i;
          const auto scale = LoadAs<std::int8_t>(w + offsetof(BlockQ6_K, scales) + j);
          EDGEMOE_UNROLL
          for (std::size_t t = 0; t < kTokens; ++t) {
            const int8x16_t a = LoadBytes(x[t] + at + kQuantsAt + 16 * j);
            dots[t] = vmlaq_n_s32(dots[t], vdotq_s32(vdupq_n_s32(0), quants[i], a), scale);
          }
        }
      }
      const float d = HalfAt(w + offsetof(BlockQ6_K, d));
      EDGEMOE_UNROLL
      for (std::size_t t = 0; t < kTokens; ++t) {
        acc[t] = vfmaq_n_f32(acc[t], vcvtq_f32_s32(dots[t]), d * LoadAs<float>(x[t] + at));
      }
    }
    EDGEMOE_UNROLL
    for (std::size_t t = 0; t < kTokens; ++t) sums[t] = vaddvq_f32(acc[t]);
  }

  // The eight runs of 16 elements of one half of the block.
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

void MatMulQ6_K(const MatMulArgs& args) { MultiplyTiled<Format>(args); }

}  // namespace edgemoe::neon
