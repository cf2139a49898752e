// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/kernel_functions.h"
#include "engine/kernels/x86_avx2/mat_mul_q8.h"
#include "engine/kernels/x86_avx2/mat_mul_tile.h"

namespace edgemoe::avx2 {
namespace {

struct Q8_0 {
  static constexpr std::size_t kBlockBytes = sizeof(BlockQ8_0);
  static constexpr bool kHasMin = false;
  static __m256 Scale(const std::byte* block) { return BroadcastHalf(block); }
  static __m256i Unpack(const std::byte* block) { return Load32(block + sizeof(HalfBits)); }
};

}  // namespace

void MatMulQ8_0(const MatMulArgs& args) { MultiplyTiled<SmallBlockFormat<Q8_0>>(args); }

}  // namespace edgemoe::avx2
