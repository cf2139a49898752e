// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/arm_neon/mat_mul_q8.h"
#include "engine/kernels/arm_neon/mat_mul_tile.h"
#include "engine/kernels/kernel_functions.h"

namespace edgemoe::neon {
namespace {

struct Q5_1 {
  static constexpr std::size_t kBlockBytes = sizeof(BlockQ5_1);
  static constexpr bool kHasMin = true;
  static float Scale(const std::byte* block) { return HalfAt(block); }
  static float Min(const std::byte* block) { return HalfAt(block + sizeof(HalfBits)); }
  static int8x16x2_t Unpack(const std::byte* block) {
    return Centre(AddFifthBits(SpreadNibbles(block + offsetof(BlockQ5_1, qs)),
                               block + offsetof(BlockQ5_1, qh)),
                  0);
  }
};

}  // namespace

void MatMulQ5_1(const MatMulArgs& args) { MultiplyTiled<SmallBlockFormat<Q5_1>>(args); }

}  // namespace edgemoe::neon
