// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/kernel_functions.h"
#include "engine/kernels/x86_avx512/mat_mul_k.h"
#include "engine/kernels/x86_avx512/mat_mul_tile.h"

namespace edgemoe::avx512 {
namespace {

struct Q5_K {
  static constexpr std::size_t kBlockBytes = sizeof(BlockQ5_K);
  static void Unpack(const std::byte* block, int j, __m512i* first, __m512i* second) {
    SplitNibbles(Load64(block + offsetof(BlockQ5_K, qs) + 64 * j), first, second);
    const std::byte* fifths = block + offsetof(BlockQ5_K, qh);
    *first = AddHighBits(*first, fifths, 4 * j, 16);
    *second = AddHighBits(*second, fifths, 4 * j + 2, 16);
  }
};

}  // namespace

void MatMulQ5_K(const MatMulArgs& args) { MultiplyTiled<MinsFormat<Q5_K>>(args); }

}  // namespace edgemoe::avx512
