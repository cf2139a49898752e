// SPDX-License-Identifier: Apache-2.0
//
// What the AVX-512 files share. Everything has internal linkage: no copy compiled for AVX-512 can
// reach code that runs on another processor.
#pragma once

#if !defined(__clang__)
// GCC 12 takes the undefined vectors inside its own intrinsics for uses of uninitialised variables.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__clang__)
#define EDGEMOE_UNROLL _Pragma("unroll")
#else
#define EDGEMOE_UNROLL _Pragma("GCC unroll 8")
#endif

namespace edgemoe::avx512 {
namespace {

constexpr std::size_t kLanes = 16;

template <class T>
inline T LoadAs(const void* from) {
  T value;
  std::memcpy(&value, from, sizeof(value));
  return value;
}

inline __m512i Load64(const void* from) { return _mm512_loadu_si512(from); }
inline __m256i Load32(const void* from) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(from));
}
inline __m128i Load16(const void* from) {
  return _mm_loadu_si128(static_cast<const __m128i*>(from));
}
inline __m512i Join(__m256i lower, __m256i upper) {
  return _mm512_inserti64x4(_mm512_castsi256_si512(lower), upper, 1);
}

// A binary16 number in all lanes.
inline __m512 BroadcastHalf(const void* from) {
  return _mm512_cvtph_ps(_mm256_set1_epi16(LoadAs<short>(from)));
}
inline __m512 BroadcastFloat(const void* from) { return _mm512_set1_ps(LoadAs<float>(from)); }

inline std::size_t LanesAt(std::size_t i, std::size_t n) { return n - i < kLanes ? n - i : kLanes; }
inline __mmask16 MaskOf(std::size_t count) {
  return static_cast<__mmask16>((std::uint32_t{1} << count) - 1);
}
// The first `count` <= 16 elements; the other lanes are zero and are not touched in memory.
inline __m512 Load(const float* from, std::size_t count) {
  return _mm512_maskz_loadu_ps(MaskOf(count), from);
}
inline __m512 LoadHalves(const std::uint16_t* from, std::size_t count) {
  return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(MaskOf(count), from));
}
inline void Store(__m512 v, std::size_t count, float* to) {
  _mm512_mask_storeu_ps(to, MaskOf(count), v);
}

inline __m256 Upper(__m512 v) { return _mm512_extractf32x8_ps(v, 1); }
inline __m256 Lower(__m512 v) { return _mm512_castps512_ps256(v); }

inline float Sum(__m512 v) {
  const __m256 quarter = _mm256_add_ps(Lower(v), Upper(v));
  __m128 half = _mm_add_ps(_mm256_castps256_ps128(quarter), _mm256_extractf128_ps(quarter, 1));
  half = _mm_add_ps(half, _mm_movehl_ps(half, half));
  return _mm_cvtss_f32(_mm_add_ss(half, _mm_movehdup_ps(half)));
}

}  // namespace
}  // namespace edgemoe::avx512
