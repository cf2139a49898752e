// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/kernels/arm_neon/simd.h"
#include "engine/quant/block_formats.h"

namespace edgemoe::neon {
namespace {

// Weights in blocks of 32 signed bytes with one scale (Q8_0, and Q4_0 once unpacked) against Q8_0
// activations. `Weights::kBlockBytes`; `Weights::Unpack(block)` gives the bytes; the scale comes
// first in the block.
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
      const float scale = HalfAt(w);
      EDGEMOE_UNROLL
      for (std::size_t t = 0; t < kTokens; ++t) {
        const std::byte* a = x[t] + block * sizeof(BlockQ8_0);
        int32x4_t dot = vdotq_s32(vdupq_n_s32(0), quants.val[0], LoadBytes(a + 2));
        dot = vdotq_s32(dot, quants.val[1], LoadBytes(a + 18));
        acc[t] = vfmaq_n_f32(acc[t], vcvtq_f32_s32(dot), scale * HalfAt(a));
      }
    }
    EDGEMOE_UNROLL
    for (std::size_t t = 0; t < kTokens; ++t) sums[t] = vaddvq_f32(acc[t]);
  }
};

}  // namespace
}  // namespace edgemoe::neon
