// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/arm_neon/mat_mul_q8.h"
#include "engine/kernels/arm_neon/mat_mul_tile.h"
#include "engine/kernels/kernel_functions.h"

namespace edgemoe::neon {
namespace {

struct Q5_0 {
  static constexpr std::size_t kBlockBytes = sizeof(BlockQ5_0);
  static constexpr bool kHasMin = false;
  static float Scale(const std::byte* block) { return HalfAt(block); }
  static int8x16x2_t Unpack(const std::byte* block) {
    return Centre(AddFifthBits(SpreadNibbles(block + offsetof(BlockQ5_0, qs)),
                               block + offsetof(BlockQ5_0, qh)),
                  16);
  }
};

}  // namespace

void MatMulQ5_0(const MatMulArgs& args) { MultiplyTiled<SmallBlockFormat<Q5_0>>(args); }

}  // namespace edgemoe::neon
