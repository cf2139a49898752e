// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/kernel_functions.h"
#include "engine/kernels/x86_avx512/simd.h"

namespace edgemoe::avx512 {
namespace {

template <std::size_t kVectors>
void Mix(const float* weights, const std::uint16_t* values, std::size_t value_stride,
         std::size_t count, float* out) {
  __m512 acc[kVectors];
  EDGEMOE_UNROLL
  for (std::size_t v = 0; v < kVectors; ++v) acc[v] = _mm512_loadu_ps(out + v * kLanes);
  for (std::size_t i = 0; i < count; ++i) {
    const __m512 weight = _mm512_set1_ps(weights[i]);
    const std::uint16_t* value = values + i * value_stride;
    EDGEMOE_UNROLL
    for (std::size_t v = 0; v < kVectors; ++v) {
      const __m512 halves = _mm512_cvtph_ps(Load32(value + v * kLanes));
      acc[v] = _mm512_fmadd_ps(weight, halves, acc[v]);
    }
  }
  EDGEMOE_UNROLL
  for (std::size_t v = 0; v < kVectors; ++v) _mm512_storeu_ps(out + v * kLanes, acc[v]);
}

}  // namespace

void AttentionScores(const float* q, const std::uint16_t* keys, std::size_t key_stride,
                     std::size_t count, std::size_t head_size, float scale, float* scores) {
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint16_t* key = keys + i * key_stride;
    __m512 even = _mm512_setzero_ps();
    __m512 odd = _mm512_setzero_ps();
    std::size_t d = 0;
    for (; d + 2 * kLanes <= head_size; d += 2 * kLanes) {
      const __m512 first = _mm512_cvtph_ps(Load32(key + d));
      const __m512 second = _mm512_cvtph_ps(Load32(key + d + kLanes));
      even = _mm512_fmadd_ps(_mm512_loadu_ps(q + d), first, even);
      odd = _mm512_fmadd_ps(_mm512_loadu_ps(q + d + kLanes), second, odd);
    }
    for (; d < head_size; d += kLanes) {
      const std::size_t left = LanesAt(d, head_size);
      even = _mm512_fmadd_ps(Load(q + d, left), LoadHalves(key + d, left), even);
    }
    scores[i] = scale * Sum(_mm512_add_ps(even, odd));
  }
}

void AttentionMix(const float* weights, const std::uint16_t* values, std::size_t value_stride,
                  std::size_t count, std::size_t head_size, float* out) {
  std::size_t d = 0;
  for (; d + 8 * kLanes <= head_size; d += 8 * kLanes) {
    Mix<8>(weights, values + d, value_stride, count, out + d);
  }
  for (; d + 4 * kLanes <= head_size; d += 4 * kLanes) {
    Mix<4>(weights, values + d, value_stride, count, out + d);
  }
  for (; d < head_size; d += kLanes) {
    const std::size_t left = LanesAt(d, head_size);
    __m512 acc = Load(out + d, left);
    for (std::size_t i = 0; i < count; ++i) {
      const __m512 value = LoadHalves(values + i * value_stride + d, left);
      acc = _mm512_fmadd_ps(_mm512_set1_ps(weights[i]), value, acc);
    }
    Store(acc, left, out + d);
  }
}

}  // namespace edgemoe::avx512
