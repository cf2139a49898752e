// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/kernel_functions.h"
#include "engine/kernels/x86_avx2/simd.h"

namespace edgemoe::avx2 {
namespace {

constexpr std::size_t kLanes = 8;
constexpr std::size_t kMixVectors = 8;  // accumulators that stay in registers

template <std::size_t kVectors>
void Mix(const float* weights, const std::uint16_t* values, std::size_t value_stride,
         std::size_t count, float* out) {
  __m256 acc[kVectors];
  EDGEMOE_UNROLL
  for (std::size_t v = 0; v < kVectors; ++v) acc[v] = _mm256_loadu_ps(out + v * kLanes);
  for (std::size_t i = 0; i < count; ++i) {
    const __m256 weight = _mm256_set1_ps(weights[i]);
    const std::uint16_t* value = values + i * value_stride;
    EDGEMOE_UNROLL
    for (std::size_t v = 0; v < kVectors; ++v) {
      acc[v] = _mm256_fmadd_ps(weight, LoadHalves(value + v * kLanes), acc[v]);
    }
  }
  EDGEMOE_UNROLL
  for (std::size_t v = 0; v < kVectors; ++v) _mm256_storeu_ps(out + v * kLanes, acc[v]);
}

}  // namespace

void AttentionScores(const float* q, const std::uint16_t* keys, std::size_t key_stride,
                     std::size_t count, std::size_t head_size, float scale, float* scores) {
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint16_t* key = keys + i * key_stride;
    __m256 even = _mm256_setzero_ps();
    __m256 odd = _mm256_setzero_ps();
    std::size_t d = 0;
    for (; d + 2 * kLanes <= head_size; d += 2 * kLanes) {
      even = _mm256_fmadd_ps(_mm256_loadu_ps(q + d), LoadHalves(key + d), even);
      odd = _mm256_fmadd_ps(_mm256_loadu_ps(q + d + kLanes), LoadHalves(key + d + kLanes), odd);
    }
    for (; d < head_size; d += kLanes) {
      const std::size_t left = head_size - d < kLanes ? head_size - d : kLanes;
      even = _mm256_fmadd_ps(LoadSome(q + d, left), LoadSomeHalves(key + d, left), even);
    }
    scores[i] = scale * Sum(_mm256_add_ps(even, odd));
  }
}

void AttentionMix(const float* weights, const std::uint16_t* values, std::size_t value_stride,
                  std::size_t count, std::size_t head_size, float* out) {
  std::size_t d = 0;
  for (; d + kMixVectors * kLanes <= head_size; d += kMixVectors * kLanes) {
    Mix<kMixVectors>(weights, values + d, value_stride, count, out + d);
  }
  for (; d + kLanes <= head_size; d += kLanes) {
    Mix<1>(weights, values + d, value_stride, count, out + d);
  }
  if (d == head_size) return;
  const std::size_t left = head_size - d;
  __m256 acc = LoadSome(out + d, left);
  for (std::size_t i = 0; i < count; ++i) {
    const __m256 value = LoadSomeHalves(values + i * value_stride + d, left);
    acc = _mm256_fmadd_ps(_mm256_set1_ps(weights[i]), value, acc);
  }
  StoreSome(acc, left, out + d);
}

}  // namespace edgemoe::avx2
