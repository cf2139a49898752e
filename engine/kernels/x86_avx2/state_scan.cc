// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/kernel_functions.h"
#include "engine/kernels/x86_avx2/simd.h"

namespace edgemoe::avx2 {
namespace {

constexpr std::size_t kLanes = 8;

// Rows [row, row + kRows) together: b and c are loaded once for all of them.
template <std::size_t kRows>
void ScanRows(const StateScanArgs& args, std::size_t row) {
  const std::size_t size = args.state_size;
  float* const state = args.state + row * size;
  const __m256 decay = _mm256_set1_ps(args.decay);
  __m256 input[kRows];
  __m256 sums[kRows];
  EDGEMOE_UNROLL
  for (std::size_t r = 0; r < kRows; ++r) {
    input[r] = _mm256_set1_ps(args.step * args.x[row + r]);
    sums[r] = _mm256_setzero_ps();
  }
  std::size_t n = 0;
  for (; n + kLanes <= size; n += kLanes) {
    const __m256 b = _mm256_loadu_ps(args.b + n);
    const __m256 c = _mm256_loadu_ps(args.c + n);
    EDGEMOE_UNROLL
    for (std::size_t r = 0; r < kRows; ++r) {
      float* const at = state + r * size + n;
      const __m256 next = _mm256_fmadd_ps(input[r], b, _mm256_mul_ps(decay, _mm256_loadu_ps(at)));
      _mm256_storeu_ps(at, next);
      sums[r] = _mm256_fmadd_ps(next, c, sums[r]);
    }
  }
  if (n < size) {
    const std::size_t left = size - n;
    const __m256 b = LoadSome(args.b + n, left);
    const __m256 c = LoadSome(args.c + n, left);
    EDGEMOE_UNROLL
    for (std::size_t r = 0; r < kRows; ++r) {
      float* const at = state + r * size + n;
      const __m256 next = _mm256_fmadd_ps(input[r], b, _mm256_mul_ps(decay, LoadSome(at, left)));
      StoreSome(next, left, at);
      sums[r] = _mm256_fmadd_ps(next, c, sums[r]);
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

}  // namespace edgemoe::avx2
