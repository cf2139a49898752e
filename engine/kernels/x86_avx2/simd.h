// SPDX-License-Identifier: Apache-2.0
//
// What the AVX2 files share. Everything has internal linkage: no copy compiled for AVX2 can reach
// code that runs on another processor.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__clang__)
#define EDGEMOE_UNROLL _Pragma("unroll")
#else
#define EDGEMOE_UNROLL _Pragma("GCC unroll 8")
#endif

namespace edgemoe::avx2 {
namespace {

template <class T>
inline T LoadAs(const void* from) {
  T value;
  std::memcpy(&value, from, sizeof(value));
  return value;
}

inline __m256i Load32(const void* from) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(from));
}
inline __m128i Load16(const void* from) {
  return _mm_loadu_si128(static_cast<const __m128i*>(from));
}

// A binary16 number in all lanes.
inline __m256 BroadcastHalf(const void* from) {
  return _mm256_cvtph_ps(_mm_set1_epi16(LoadAs<short>(from)));
}
inline __m256 BroadcastFloat(const void* from) { return _mm256_set1_ps(LoadAs<float>(from)); }

inline __m256 LoadHalves(const std::uint16_t* from) { return _mm256_cvtph_ps(Load16(from)); }

inline float Sum(__m256 v) {
  __m128 half = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  half = _mm_add_ps(half, _mm_movehl_ps(half, half));
  return _mm_cvtss_f32(_mm_add_ss(half, _mm_movehdup_ps(half)));
}

inline double Sum(__m256d v) {
  const __m128d half = _mm_add_pd(_mm256_castpd256_pd128(v), _mm256_extractf128_pd(v, 1));
  return _mm_cvtsd_f64(_mm_add_sd(half, _mm_unpackhi_pd(half, half)));
}

inline float Largest(__m256 v) {
  __m128 half = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  half = _mm_max_ps(half, _mm_movehl_ps(half, half));
  return _mm_cvtss_f32(_mm_max_ss(half, _mm_movehdup_ps(half)));
}

// The first `count` < 8 elements; the other lanes are zero.
inline __m256 LoadSome(const float* from, std::size_t count) {
  alignas(32) float lanes[8] = {};
  std::memcpy(lanes, from, count * sizeof(float));
  return _mm256_load_ps(lanes);
}
inline __m256 LoadSomeHalves(const std::uint16_t* from, std::size_t count) {
  alignas(16) std::uint16_t lanes[8] = {};
  std::memcpy(lanes, from, count * sizeof(std::uint16_t));
  return LoadHalves(lanes);
}
inline void StoreSome(__m256 v, std::size_t count, float* to) {
  alignas(32) float lanes[8];
  _mm256_store_ps(lanes, v);
  std::memcpy(to, lanes, count * sizeof(float));
}

}  // namespace
}  // namespace edgemoe::avx2
