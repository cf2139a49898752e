// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/arm_neon/mat_mul_k.h"
#include "engine/kernels/arm_neon/mat_mul_tile.h"
#include "engine/kernels/kernel_functions.h"

namespace edgemoe::neon {
namespace {

struct Q4_K {
  static constexpr std::size_t kBlockBytes = sizeof(BlockQ4_K);
  static void Unpack(const std::byte* block, int j, int8x16_t (&quants)[4]) {
    const std::byte* qs = block + offsetof(BlockQ4_K, qs) + 32 * j;
    EDGEMOE_UNROLL
    for (int i = 0; i < 2; ++i) {
      const uint8x16_t pairs = LoadUnsigned(qs + 16 * i);
      quants[i] = vreinterpretq_s8_u8(vandq_u8(pairs, vdupq_n_u8(15)));
      quants[i + 2] = vreinterpretq_s8_u8(vshrq_n_u8(pairs, 4));
    }
  }
};

}  // namespace

void MatMulQ4_K(const MatMulArgs& args) { MultiplyTiled<MinsFormat<Q4_K>>(args); }

}  // namespace edgemoe::neon
