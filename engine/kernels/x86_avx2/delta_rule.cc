// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/kernel_functions.h"
#include "engine/kernels/x86_avx2/simd.h"

namespace edgemoe::avx2 {
namespace {

constexpr std::size_t kLanes = 8;
constexpr std::size_t kVectorsMax = 8;  // accumulators that stay in registers

// Columns [column, column + kVectors * kLanes), which the second pass finds in the nearest cache.
template <std::size_t kVectors>
void Columns(const DeltaRuleArgs& args, std::size_t column) {
  float* const state = args.state + column;
  __m256 sums[kVectors];
  EDGEMOE_UNROLL
  for (std::size_t v = 0; v < kVectors; ++v) sums[v] = _mm256_setzero_ps();
  for (std::size_t i = 0; i < args.size; ++i) {
    const __m256 key = _mm256_set1_ps(args.key[i]);
    EDGEMOE_UNROLL
    for (std::size_t v = 0; v < kVectors; ++v) {
      const __m256 element = _mm256_loadu_ps(state + i * args.size + v * kLanes);
      sums[v] = _mm256_fmadd_ps(key, element, sums[v]);
    }
  }
  const __m256 decay = _mm256_set1_ps(args.decay);
  __m256 changes[kVectors];
  EDGEMOE_UNROLL
  for (std::size_t v = 0; v < kVectors; ++v) {
    const __m256 value = _mm256_loadu_ps(args.value + column + v * kLanes);
    const __m256 error = _mm256_fnmadd_ps(decay, sums[v], value);
    changes[v] = _mm256_mul_ps(_mm256_set1_ps(args.rate), error);
    sums[v] = _mm256_setzero_ps();
  }
  for (std::size_t i = 0; i < args.size; ++i) {
    const __m256 key = _mm256_set1_ps(args.key[i]);
    const __m256 query = _mm256_set1_ps(args.query[i]);
    EDGEMOE_UNROLL
    for (std::size_t v = 0; v < kVectors; ++v) {
      float* const at = state + i * args.size + v * kLanes;
      const __m256 kept = _mm256_mul_ps(decay, _mm256_loadu_ps(at));
      const __m256 element = _mm256_fmadd_ps(key, changes[v], kept);
      _mm256_storeu_ps(at, element);
      sums[v] = _mm256_fmadd_ps(query, element, sums[v]);
    }
  }
  EDGEMOE_UNROLL
  for (std::size_t v = 0; v < kVectors; ++v)
    _mm256_storeu_ps(args.out + column + v * kLanes, sums[v]);
}

// The last `count` < kLanes columns.
void LastColumns(const DeltaRuleArgs& args, std::size_t column, std::size_t count) {
  float* const state = args.state + column;
  __m256 sum = _mm256_setzero_ps();
  for (std::size_t i = 0; i < args.size; ++i) {
    const __m256 element = LoadSome(state + i * args.size, count);
    sum = _mm256_fmadd_ps(_mm256_set1_ps(args.key[i]), element, sum);
  }
  const __m256 decay = _mm256_set1_ps(args.decay);
  const __m256 error = _mm256_fnmadd_ps(decay, sum, LoadSome(args.value + column, count));
  const __m256 change = _mm256_mul_ps(_mm256_set1_ps(args.rate), error);
  sum = _mm256_setzero_ps();
  for (std::size_t i = 0; i < args.size; ++i) {
    const __m256 kept = _mm256_mul_ps(decay, LoadSome(state + i * args.size, count));
    const __m256 element = _mm256_fmadd_ps(_mm256_set1_ps(args.key[i]), change, kept);
    StoreSome(element, count, state + i * args.size);
    sum = _mm256_fmadd_ps(_mm256_set1_ps(args.query[i]), element, sum);
  }
  StoreSome(sum, count, args.out + column);
}

}  // namespace

void DeltaRule(const DeltaRuleArgs& args) {
  std::size_t column = 0;
  for (; column + kVectorsMax * kLanes <= args.size; column += kVectorsMax * kLanes)
    Columns<kVectorsMax>(args, column);
  for (; column + kLanes <= args.size; column += kLanes) Columns<1>(args, column);
  if (column < args.size) LastColumns(args, column, args.size - column);
}

}  // namespace edgemoe::avx2
