// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/kernel_functions.h"
#include "engine/kernels/x86_avx2/mat_mul_q8.h"
#include "engine/kernels/x86_avx2/mat_mul_tile.h"

namespace edgemoe::avx2 {
namespace {

struct Q5_1 {
  static constexpr std::size_t kBlockBytes = sizeof(BlockQ5_1);
  static constexpr bool kHasMin = true;
  static __m256 Scale(const std::byte* block) { return BroadcastHalf(block); }
  static __m256 Min(const std::byte* block) { return BroadcastHalf(block + sizeof(HalfBits)); }
  static __m256i Unpack(const std::byte* block) {
    return _mm256_or_si256(SpreadNibbles(block + offsetof(BlockQ5_1, qs)),
                           SpreadBits(block + offsetof(BlockQ5_1, qh), 16));
  }
};

}  // namespace

void MatMulQ5_1(const MatMulArgs& args) { MultiplyTiled<SmallBlockFormat<Q5_1>>(args); }

}  // namespace edgemoe::avx2
