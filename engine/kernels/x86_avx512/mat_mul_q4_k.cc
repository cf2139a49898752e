// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/kernel_functions.h"
#include "engine/kernels/x86_avx512/mat_mul_k.h"
#include "engine/kernels/x86_avx512/mat_mul_tile.h"

namespace edgemoe::avx512 {
namespace {

struct Q4_K {
  static constexpr std::size_t kBlockBytes = sizeof(BlockQ4_K);
  static void Unpack(const std::byte* block, int j, __m512i* first, __m512i* second) {
    SplitNibbles(Load64(block + offsetof(BlockQ4_K, qs) + 64 * j), first, second);
  }
};

}  // namespace

void MatMulQ4_K(const MatMulArgs& args) { MultiplyTiled<MinsFormat<Q4_K>>(args); }

}  // namespace edgemoe::avx512
