// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/arm_neon/simd.h"
#include "engine/kernels/kernel_functions.h"

namespace edgemoe::neon {
namespace {

constexpr std::size_t kVectorsMax = 8;  // accumulators that stay in registers

// `kVectors` vectors of columns from `column` on, which the second pass finds in the nearest cache;
// the last vector has `count` of them.
template <std::size_t kVectors>
void Columns(const DeltaRuleArgs& args, std::size_t column, std::size_t count) {
  float* const state = args.state + column;
  const auto lanes = [&](std::size_t v) { return v + 1 < kVectors ? kLanes : count; };
  float32x4_t sums[kVectors];
  EDGEMOE_UNROLL
  for (std::size_t v = 0; v < kVectors; ++v) sums[v] = vdupq_n_f32(0.0f);
  for (std::size_t i = 0; i < args.size; ++i) {
    EDGEMOE_UNROLL
    for (std::size_t v = 0; v < kVectors; ++v) {
      const float32x4_t element = Load(state + i * args.size + v * kLanes, lanes(v));
      sums[v] = vfmaq_n_f32(sums[v], element, args.key[i]);
    }
  }
  float32x4_t changes[kVectors];
  EDGEMOE_UNROLL
  for (std::size_t v = 0; v < kVectors; ++v) {
    const float32x4_t value = Load(args.value + column + v * kLanes, lanes(v));
    const float32x4_t error = vfmaq_n_f32(value, sums[v], -args.decay);
    changes[v] = vmulq_n_f32(error, args.rate);
    sums[v] = vdupq_n_f32(0.0f);
  }
  for (std::size_t i = 0; i < args.size; ++i) {
    EDGEMOE_UNROLL
    for (std::size_t v = 0; v < kVectors; ++v) {
      float* const at = state + i * args.size + v * kLanes;
      const float32x4_t kept = vmulq_n_f32(Load(at, lanes(v)), args.decay);
      const float32x4_t element = vfmaq_n_f32(kept, changes[v], args.key[i]);
      Store(element, lanes(v), at);
      sums[v] = vfmaq_n_f32(sums[v], element, args.query[i]);
    }
  }
  EDGEMOE_UNROLL
  for (std::size_t v = 0; v < kVectors; ++v)
    Store(sums[v], lanes(v), args.out + column + v * kLanes);
}

}  // namespace

void DeltaRule(const DeltaRuleArgs& args) {
  std::size_t column = 0;
  for (; column + kVectorsMax * kLanes <= args.size; column += kVectorsMax * kLanes)
    Columns<kVectorsMax>(args, column, kLanes);
  for (; column < args.size; column += kLanes) Columns<1>(args, column, LanesAt(column, args.size));
}

}  // namespace edgemoe::neon
