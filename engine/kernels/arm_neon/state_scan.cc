// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/arm_neon/simd.h"
#include "engine/kernels/kernel_functions.h"

namespace edgemoe::neon {
namespace {

// Rows [row, row + kRows) together: b and c are loaded once for all of them.
template <std::size_t kRows>
void ScanRows(const StateScanArgs& args, std::size_t row) {
  const std::size_t size = args.state_size;
  float* const state = args.state + row * size;
  float32x4_t input[kRows];
  float32x4_t sums[kRows];
  EDGEMOE_UNROLL
  for (std::size_t r = 0; r < kRows; ++r) {
    input[r] = vdupq_n_f32(args.step * args.x[row + r]);
    sums[r] = vdupq_n_f32(0);
  }
  std::size_t n = 0;
  for (; n + kLanes <= size; n += kLanes) {
    const float32x4_t b = vld1q_f32(args.b + n);
    const float32x4_t c = vld1q_f32(args.c + n);
    EDGEMOE_UNROLL
    for (std::size_t r = 0; r < kRows; ++r) {
      float* const at = state + r * size + n;
      const float32x4_t next = vfmaq_f32(vmulq_n_f32(vld1q_f32(at), args.decay), input[r], b);
      vst1q_f32(at, next);
      sums[r] = vfmaq_f32(sums[r], next, c);
    }
  }
  if (n < size) {
    const std::size_t left = size - n;
    const float32x4_t b = Load(args.b + n, left);
    const float32x4_t c = Load(args.c + n, left);
    EDGEMOE_UNROLL
    for (std::size_t r = 0; r < kRows; ++r) {
      float* const at = state + r * size + n;
      const float32x4_t next = vfmaq_f32(vmulq_n_f32(Load(at, left), args.decay), input[r], b);
      Store(next, left, at);
      sums[r] = vfmaq_f32(sums[r], next, c);
    }
  }
  EDGEMOE_UNROLL
  for (std::size_t r = 0; r < kRows; ++r)
    args.out[row + r] = vaddvq_f32(sums[r]) + args.skip * args.x[row + r];
}

}  // namespace

void StateScan(const StateScanArgs& args) {
  constexpr std::size_t kTogether = 4;
  std::size_t row = 0;
  for (; row + kTogether <= args.head_size; row += kTogether) ScanRows<kTogether>(args, row);
  for (; row < args.head_size; ++row) ScanRows<1>(args, row);
}

}  // namespace edgemoe::neon
