// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/kernel_functions.h"
#include "engine/kernels/x86_avx2/mat_mul_q8.h"
#include "engine/kernels/x86_avx2/mat_mul_tile.h"

namespace edgemoe::avx2 {
namespace {

struct Q4_1 {
  static constexpr std::size_t kBlockBytes = sizeof(BlockQ4_1);
  static constexpr bool kHasMin = true;
  static __m256 Scale(const std::byte* block) { return BroadcastHalf(block); }
  static __m256 Min(const std::byte* block) { return BroadcastHalf(block + sizeof(HalfBits)); }
  static __m256i Unpack(const std::byte* block) {
    return SpreadNibbles(block + offsetof(BlockQ4_1, qs));
  }
};

}  // namespace

void MatMulQ4_1(const MatMulArgs& args) { MultiplyTiled<SmallBlockFormat<Q4_1>>(args); }

}  // namespace edgemoe::avx2
