// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/kernel_functions.h"
#include "engine/kernels/x86_avx512/simd.h"

namespace edgemoe::avx512 {
namespace {

// Rows [row, row + kRows) together: b and c are loaded once for all of them.
template <std::size_t kRows>
void ScanRows(const StateScanArgs& args, std::size_t row) {
  const std::size_t size = args.state_size;
  float* const state = args.state + row * size;
  const __m512 decay = _mm512_set1_ps(args.decay);
  __m512 input[kRows];
  __m512 sums[kRows];
  EDGEMOE_UNROLL
  for (std::size_t r = 0; r < kRows; ++r) {
    input[r] = _mm512_set1_ps(args.step * args.x[row + r]);
    sums[r] = _mm512_setzero_ps();
  }
  for (std::size_t n = 0; n < size; n += kLanes) {
    const std::size_t count = LanesAt(n, size);
    const __m512 b = Load(args.b + n, count);
    const __m512 c = Load(args.c + n, count);
    EDGEMOE_UNROLL
    for (std::size_t r = 0; r < kRows; ++r) {
      float* const at = state + r * size + n;
      const __m512 next = _mm512_fmadd_ps(input[r], b, _mm512_mul_ps(decay, Load(at, count)));
      Store(next, count, at);
      sums[r] = _mm512_fmadd_ps(next, c, sums[r]);
    }
  }
  EDGEMOE_UNROLL
  for (std::size_t r = 0; r < kRows; ++r)
    args.out[row + r] = Sum(sums[r]) + args.skip * args.x[row + r];
}

}  // namespace

void StateScan(const StateScanArgs& args) {
  constexpr std::size_t kTogether = 4;
  std::size_t row = 0;
  for (; row + kTogether <= args.head_size; row += kTogether) ScanRows<kTogether>(args, row);
  for (; row < args.head_size; ++row) ScanRows<1>(args, row);
}

}  // namespace edgemoe::avx512
