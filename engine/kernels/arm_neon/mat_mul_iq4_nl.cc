// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/arm_neon/mat_mul_q8.h"
#include "engine/kernels/arm_neon/mat_mul_tile.h"
#include "engine/kernels/kernel_functions.h"
#include "engine/quant/codebooks.h"

namespace edgemoe::neon {
namespace {

struct IQ4_NL {
  static constexpr std::size_t kBlockBytes = sizeof(BlockIQ4_NL);
  static constexpr bool kHasMin = false;
  static float Scale(const std::byte* block) { return HalfAt(block); }
  static int8x16x2_t Unpack(const std::byte* block) {
    return LookUp(kIq4NlValues, SpreadNibbles(block + offsetof(BlockIQ4_NL, qs)));
  }
};

}  // namespace

void MatMulIQ4_NL(const MatMulArgs& args) { MultiplyTiled<SmallBlockFormat<IQ4_NL>>(args); }

}  // namespace edgemoe::neon
