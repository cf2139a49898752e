// SPDX-License-Identifier: Apache-2.0
//
// What the NEON files share. Everything has internal linkage: no copy compiled for the dot product
// extension can reach code that runs on a processor without it.
#pragma once

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__clang__)
#define EDGEMOE_UNROLL _Pragma("unroll")
#else
#define EDGEMOE_UNROLL _Pragma("GCC unroll 8")
#endif

namespace edgemoe::neon {
namespace {

constexpr std::size_t kLanes = 4;

template <class T>
inline T LoadAs(const void* from) {
  T value;
  std::memcpy(&value, from, sizeof(value));
  return value;
}

inline int8x16_t LoadBytes(const void* from) { return vld1q_s8(static_cast<const int8_t*>(from)); }
inline uint8x16_t LoadUnsigned(const void* from) {
  return vld1q_u8(static_cast<const uint8_t*>(from));
}

inline float HalfAt(const void* from) { return static_cast<float>(LoadAs<float16_t>(from)); }
inline float32x4_t WidenHalves(uint16x4_t halves) {
  return vcvt_f32_f16(vreinterpret_f16_u16(halves));
}

inline std::size_t LanesAt(std::size_t i, std::size_t n) { return n - i < kLanes ? n - i : kLanes; }
// The first `count` <= 4 elements; the other lanes are zero and are not touched in memory.
inline float32x4_t Load(const float* from, std::size_t count) {
  if (count == kLanes) return vld1q_f32(from);
  float lanes[kLanes] = {};
  std::memcpy(lanes, from, count * sizeof(float));
  return vld1q_f32(lanes);
}
inline float32x4_t LoadHalves(const std::uint16_t* from, std::size_t count) {
  if (count == kLanes) return WidenHalves(vld1_u16(from));
  std::uint16_t lanes[kLanes] = {};
  std::memcpy(lanes, from, count * sizeof(std::uint16_t));
  return WidenHalves(vld1_u16(lanes));
}
inline void Store(float32x4_t v, std::size_t count, float* to) {
  float lanes[kLanes];
  vst1q_f32(lanes, v);
  std::memcpy(to, lanes, count * sizeof(float));
}

}  // namespace
}  // namespace edgemoe::neon
