// SPDX-License-Identifier: Apache-2.0
//
// Four floats at once in the compilers' portable vector notation, for the searches' inner loops:
// every machine adds the same numbers in the same order. Private to engine/quant.
#pragma once

#include <cstddef>
#include <cstring>

namespace edgemoe::quant {

using Lanes __attribute__((vector_size(16))) = float;
constexpr std::size_t kLanes = 4;

inline Lanes Load(const float* from) {
  Lanes lanes;
  std::memcpy(&lanes, from, sizeof(lanes));
  return lanes;
}

inline void Store(Lanes lanes, float* to) { std::memcpy(to, &lanes, sizeof(lanes)); }

inline Lanes Splat(float x) { return Lanes{x, x, x, x}; }

inline float Sum(Lanes x) { return (x[0] + x[1]) + (x[2] + x[3]); }

inline Lanes Clamp(Lanes x, Lanes low, Lanes high) {
  x = x < low ? low : x;
  return x > high ? high : x;
}

// To the nearest integer, halves to even. REQUIRES: |x| < 2^22.
inline Lanes RoundToInteger(Lanes x) {
  const Lanes shift = Splat(0x1.8p23f);
  return (x + shift) - shift;
}

}  // namespace edgemoe::quant
