// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/arm_neon/simd.h"
#include "engine/kernels/kernel_functions.h"

namespace edgemoe::neon {

void AttentionScores(const float* q, const std::uint16_t* keys, std::size_t key_stride,
                     std::size_t count, std::size_t head_size, float scale, float* scores) {
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint16_t* key = keys + i * key_stride;
    float32x4_t even = vdupq_n_f32(0);
    float32x4_t odd = vdupq_n_f32(0);
    std::size_t d = 0;
    for (; d + 2 * kLanes <= head_size; d += 2 * kLanes) {
      even = vfmaq_f32(even, vld1q_f32(q + d), WidenHalves(vld1_u16(key + d)));
      odd = vfmaq_f32(odd, vld1q_f32(q + d + kLanes), WidenHalves(vld1_u16(key + d + kLanes)));
    }
    for (; d < head_size; d += kLanes) {
      const std::size_t left = LanesAt(d, head_size);
      even = vfmaq_f32(even, Load(q + d, left), LoadHalves(key + d, left));
    }
    scores[i] = scale * vaddvq_f32(vaddq_f32(even, odd));
  }
}

void AttentionMix(const float* weights, const std::uint16_t* values, std::size_t value_stride,
                  std::size_t count, std::size_t head_size, float* out) {
  constexpr std::size_t kVectors = 8;  // accumulators that stay in registers
  std::size_t d = 0;
  for (; d + kVectors * kLanes <= head_size; d += kVectors * kLanes) {
    float32x4_t acc[kVectors];
    EDGEMOE_UNROLL
    for (std::size_t v = 0; v < kVectors; ++v) acc[v] = vld1q_f32(out + d + v * kLanes);
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint16_t* value = values + i * value_stride + d;
      EDGEMOE_UNROLL
      for (std::size_t v = 0; v < kVectors; ++v) {
        acc[v] = vfmaq_n_f32(acc[v], WidenHalves(vld1_u16(value + v * kLanes)), weights[i]);
      }
    }
    EDGEMOE_UNROLL
    for (std::size_t v = 0; v < kVectors; ++v) vst1q_f32(out + d + v * kLanes, acc[v]);
  }
  for (; d < head_size; d += kLanes) {
    const std::size_t left = LanesAt(d, head_size);
    float32x4_t acc = Load(out + d, left);
    for (std::size_t i = 0; i < count; ++i) {
      acc = vfmaq_n_f32(acc, LoadHalves(values + i * value_stride + d, left), weights[i]);
    }
    Store(acc, left, out + d);
  }
}

}  // namespace edgemoe::neon
