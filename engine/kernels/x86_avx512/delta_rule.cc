// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/kernel_functions.h"
#include "engine/kernels/x86_avx512/simd.h"

namespace edgemoe::avx512 {
namespace {

constexpr std::size_t kVectorsMax = 4;  // columns of whole cache lines, 32 KiB of a head of 128

// `kVectors` vectors of columns from `column` on, which the second pass finds in the nearest cache;
// the last vector has `count` of them.
template <std::size_t kVectors>
void Columns(const DeltaRuleArgs& args, std::size_t column, std::size_t count) {
  float* const state = args.state + column;
  const auto lanes = [&](std::size_t v) { return v + 1 < kVectors ? kLanes : count; };
  __m512 sums[kVectors];
  EDGEMOE_UNROLL
  for (std::size_t v = 0; v < kVectors; ++v) sums[v] = _mm512_setzero_ps();
  for (std::size_t i = 0; i < args.size; ++i) {
    const __m512 key = _mm512_set1_ps(args.key[i]);
    EDGEMOE_UNROLL
    for (std::size_t v = 0; v < kVectors; ++v) {
      const __m512 element = Load(state + i * args.size + v * kLanes, lanes(v));
      sums[v] = _mm512_fmadd_ps(key, element, sums[v]);
    }
  }
  const __m512 decay = _mm512_set1_ps(args.decay);
  __m512 changes[kVectors];
  EDGEMOE_UNROLL
  for (std::size_t v = 0; v < kVectors; ++v) {
    const __m512 value = Load(args.value + column + v * kLanes, lanes(v));
    const __m512 error = _mm512_fnmadd_ps(decay, sums[v], value);
    changes[v] = _mm512_mul_ps(_mm512_set1_ps(args.rate), error);
    sums[v] = _mm512_setzero_ps();
  }
  for (std::size_t i = 0; i < args.size; ++i) {
    const __m512 key = _mm512_set1_ps(args.key[i]);
    const __m512 query = _mm512_set1_ps(args.query[i]);
    EDGEMOE_UNROLL
    for (std::size_t v = 0; v < kVectors; ++v) {
      float* const at = state + i * args.size + v * kLanes;
      const __m512 kept = _mm512_mul_ps(decay, Load(at, lanes(v)));
      const __m512 element = _mm512_fmadd_ps(key, changes[v], kept);
      Store(element, lanes(v), at);
      sums[v] = _mm512_fmadd_ps(query, element, sums[v]);
    }
  }
  EDGEMOE_UNROLL
  for (std::size_t v = 0; v < kVectors; ++v)
    Store(sums[v], lanes(v), args.out + column + v * kLanes);
}

}  // namespace

void DeltaRule(const DeltaRuleArgs& args) {
  std::size_t column = 0;
  for (; column + kVectorsMax * kLanes <= args.size; column += kVectorsMax * kLanes)
    Columns<kVectorsMax>(args, column, kLanes);
  for (; column < args.size; column += kLanes) Columns<1>(args, column, LanesAt(column, args.size));
}

}  // namespace edgemoe::avx512
