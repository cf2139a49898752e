// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/arm_neon/mat_mul_q8.h"
#include "engine/kernels/arm_neon/mat_mul_tile.h"
#include "engine/kernels/kernel_functions.h"

namespace edgemoe::neon {
namespace {

struct Q4_0 {
  static constexpr std::size_t kBlockBytes = sizeof(BlockQ4_0);
  static constexpr bool kHasMin = false;
  static float Scale(const std::byte* block) { return HalfAt(block); }
  static int8x16x2_t Unpack(const std::byte* block) {
    return Centre(SpreadNibbles(block + offsetof(BlockQ4_0, qs)), 8);
  }
};

}  // namespace

void MatMulQ4_0(const MatMulArgs& args) { MultiplyTiled<SmallBlockFormat<Q4_0>>(args); }

}  // namespace edgemoe::neon
