// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/kernel_functions.h"
#include "engine/kernels/x86_avx2/mat_mul_q8.h"
#include "engine/kernels/x86_avx2/mat_mul_tile.h"
#include "engine/quant/codebooks.h"

namespace edgemoe::avx2 {
namespace {

struct IQ4_NL {
  static constexpr std::size_t kBlockBytes = sizeof(BlockIQ4_NL);
  static constexpr bool kHasMin = false;
  static __m256 Scale(const std::byte* block) { return BroadcastHalf(block); }
  static __m256i Unpack(const std::byte* block) {
    return LookUp(kIq4NlValues, SpreadNibbles(block + offsetof(BlockIQ4_NL, qs)));
  }
};

}  // namespace

void MatMulIQ4_NL(const MatMulArgs& args) { MultiplyTiled<SmallBlockFormat<IQ4_NL>>(args); }

}  // namespace edgemoe::avx2
