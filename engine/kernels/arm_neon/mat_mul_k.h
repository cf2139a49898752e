// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/kernels/arm_neon/simd.h"
#include "engine/quant/block_formats.h"

namespace edgemoe::neon {
namespace {

// Where the parts of a BlockQ8_K lie.
constexpr std::size_t kQuantsAt = sizeof(float);
constexpr std::size_t kSumsAt = kQuantsAt + kSuperBlock;

// The eight scales and eight minima of a Q4_K or Q5_K block.
struct ScalesAndMins {
  std::uint8_t scales[8];
  int16x8_t mins;
};
inline ScalesAndMins UnpackScales(const std::byte* packed) {
  const auto first = LoadAs<std::uint32_t>(packed);
  const auto second = LoadAs<std::uint32_t>(packed + 4);
  const auto nibbles = LoadAs<std::uint32_t>(packed + 8);
  const std::uint32_t upper_scales = (nibbles & 0x0f0f0f0fu) | (first >> 2 & 0x30303030u);
  const std::uint32_t upper_mins = (nibbles >> 4 & 0x0f0f0f0fu) | (second >> 2 & 0x30303030u);
  const std::uint64_t scales = (first & 0x3f3f3f3fu) | std::uint64_t{upper_scales} << 32;
  const std::uint64_t mins = (second & 0x3f3f3f3fu) | std::uint64_t{upper_mins} << 32;
  ScalesAndMins unpacked;
  std::memcpy(unpacked.scales, &scales, sizeof(scales));
  unpacked.mins = vreinterpretq_s16_u16(vmovl_u8(vcreate_u8(mins)));
  return unpacked;
}

// Q4_K and Q5_K against Q8_K. Unpack(block, j, quants) gives elements 64 * j ... + 63 as bytes
// below 32.
template <class Weights>
struct MinsFormat {
  template <std::size_t kTokens>
  static void Dot(const std::byte* weights, const std::byte* const* x, std::size_t columns,
                  float* sums) {
    float32x4_t acc[kTokens];
    EDGEMOE_UNROLL
    for (std::size_t t = 0; t < kTokens; ++t) acc[t] = vdupq_n_f32(0);
    for (std::size_t block = 0; block < columns / kSuperBlock; ++block) {
      const std::byte* w = weights + block * Weights::kBlockBytes;
      const std::size_t at = block * sizeof(BlockQ8_K);
      const ScalesAndMins packed = UnpackScales(w + 2 * sizeof(HalfBits));
      int32x4_t dots[kTokens];
      EDGEMOE_UNROLL
      for (std::size_t t = 0; t < kTokens; ++t) dots[t] = vdupq_n_s32(0);
      EDGEMOE_UNROLL
      for (int j = 0; j < 4; ++j) {
        int8x16_t quants[4];
        Weights::Unpack(w, j, quants);
        EDGEMOE_UNROLL
        for (std::size_t t = 0; t < kTokens; ++t) {
          const std::byte* a = x[t] + at + kQuantsAt + 64 * j;
          int32x4_t low = vdotq_s32(vdupq_n_s32(0), quants[0], LoadBytes(a));
          low = vdotq_s32(low, quants[1], LoadBytes(a + 16));
          int32x4_t high = vdotq_s32(vdupq_n_s32(0), quants[2], LoadBytes(a + 32));
          high = vdotq_s32(high, quants[3], LoadBytes(a + 48));
          dots[t] = vmlaq_n_s32(dots[t], low, packed.scales[2 * j]);
          dots[t] = vmlaq_n_s32(dots[t], high, packed.scales[2 * j + 1]);
        }
      }
      const float d = HalfAt(w);
      const float dmin = HalfAt(w + sizeof(HalfBits));
      EDGEMOE_UNROLL
      for (std::size_t t = 0; t < kTokens; ++t) {
        const auto dx = LoadAs<float>(x[t] + at);
        const int16x8_t pairs =
            vpaddq_s16(vreinterpretq_s16_s8(LoadBytes(x[t] + at + kSumsAt)),
                       vreinterpretq_s16_s8(LoadBytes(x[t] + at + kSumsAt + 16)));
        int32x4_t offset = vmull_s16(vget_low_s16(pairs), vget_low_s16(packed.mins));
        offset = vmlal_high_s16(offset, pairs, packed.mins);
        acc[t] = vfmaq_n_f32(acc[t], vcvtq_f32_s32(dots[t]), d * dx);
        acc[t] = vfmsq_n_f32(acc[t], vcvtq_f32_s32(offset), dmin * dx);
      }
    }
    EDGEMOE_UNROLL
    for (std::size_t t = 0; t < kTokens; ++t) sums[t] = vaddvq_f32(acc[t]);
  }
};

// Q2_K, Q3_K, Q6_K and the IQ types against Q8_K: sub-blocks of 16. Unpack(block, half, quants)
// gives the 128 elements of one half of the block as signed bytes, Scales(block) the sixteen
// scales, which count kUnit times the half at kScaleAt. Where kHasMins, Mins(block) gives the
// minima, and their scale stands behind the one at kScaleAt.
template <class Weights>
struct SixteensFormat {
  template <std::size_t kTokens>
  static void Dot(const std::byte* weights, const std::byte* const* x, std::size_t columns,
                  float* sums) {
    float32x4_t acc[kTokens];
    EDGEMOE_UNROLL
    for (std::size_t t = 0; t < kTokens; ++t) acc[t] = vdupq_n_f32(0);
    for (std::size_t block = 0; block < columns / kSuperBlock; ++block) {
      const std::byte* w = weights + block * Weights::kBlockBytes;
      const std::size_t at = block * sizeof(BlockQ8_K);
      std::int8_t scales[kSuperBlock / 16];
      vst1q_s8(scales, Weights::Scales(w));
      int32x4_t dots[kTokens];
      EDGEMOE_UNROLL
      for (std::size_t t = 0; t < kTokens; ++t) dots[t] = vdupq_n_s32(0);
      for (int half = 0; half < 2; ++half) {
        int8x16_t quants[8];
        Weights::Unpack(w, half, quants);
        EDGEMOE_UNROLL
        for (int i = 0; i < 8; ++i) {
          const int j = 8 * half + i;
          EDGEMOE_UNROLL
          for (std::size_t t = 0; t < kTokens; ++t) {
            const int8x16_t a = LoadBytes(x[t] + at + kQuantsAt + 16 * j);
            dots[t] = vmlaq_n_s32(dots[t], vdotq_s32(vdupq_n_s32(0), quants[i], a), scales[j]);
          }
        }
      }
      const float d = HalfAt(w + Weights::kScaleAt) * Weights::kUnit;
      EDGEMOE_UNROLL
      for (std::size_t t = 0; t < kTokens; ++t) {
        const auto dx = LoadAs<float>(x[t] + at);
        acc[t] = vfmaq_n_f32(acc[t], vcvtq_f32_s32(dots[t]), d * dx);
        if constexpr (Weights::kHasMins) {
          const float dmin = HalfAt(w + Weights::kScaleAt + sizeof(HalfBits));
          const int32x4_t offset = TimesSums(Weights::Mins(w), x[t] + at + kSumsAt);
          acc[t] = vfmsq_n_f32(acc[t], vcvtq_f32_s32(offset), dmin * dx);
        }
      }
    }
    EDGEMOE_UNROLL
    for (std::size_t t = 0; t < kTokens; ++t) sums[t] = vaddvq_f32(acc[t]);
  }

  // The products of sixteen minima with sixteen sums, four a lane.
  static int32x4_t TimesSums(int8x16_t mins, const std::byte* sums) {
    const int16x8_t first = vreinterpretq_s16_s8(LoadBytes(sums));
    const int16x8_t second = vreinterpretq_s16_s8(LoadBytes(sums + 16));
    const int16x8_t low = vmovl_s8(vget_low_s8(mins));
    const int16x8_t high = vmovl_high_s8(mins);
    int32x4_t products = vmull_s16(vget_low_s16(first), vget_low_s16(low));
    products = vmlal_high_s16(products, first, low);
    products = vmlal_s16(products, vget_low_s16(second), vget_low_s16(high));
    return vmlal_high_s16(products, second, high);
  }
};

// Sixteen two-bit quants of each run of 32 of Q2_K and Q3_K: bits 2 * run and 2 * run + 1.
inline uint8x16_t TwoBits(uint8x16_t four_runs, int run) {
  const int8x16_t down = vdupq_n_s8(static_cast<int8_t>(-2 * run));
  return vandq_u8(vshlq_u8(four_runs, down), vdupq_n_u8(3));
}

}  // namespace
}  // namespace edgemoe::neon
