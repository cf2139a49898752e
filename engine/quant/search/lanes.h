// SPDX-License-Identifier: Apache-2.0
//
// Four floats at once in the compilers' portable vector notation. The searches try four candidates
// side by side, each with a lane of its own: nothing is summed across lanes, and every machine
// computes the same. Private to engine/quant.
#pragma once

#include <cstddef>

namespace edgemoe::quant {

using Lanes __attribute__((vector_size(16))) = float;
constexpr std::size_t kLanes = 4;

inline Lanes Splat(float x) { return Lanes{x, x, x, x}; }

inline Lanes Clamp(Lanes x, Lanes low, Lanes high) {
  x = x < low ? low : x;
  return x > high ? high : x;
}

// To the nearest integer, halves to even. REQUIRES: |x| < 2^22.
inline Lanes RoundToInteger(Lanes x) {
  const Lanes shift = Splat(0x1.8p23f);
  return (x + shift) - shift;
}

// 1 / x for dividing by x; 0 where that is no finite number.
inline Lanes SafeInverse(Lanes x) {
  const Lanes tiny = Splat(1e-37f);
  return ((x > tiny) | (x < -tiny)) ? 1 / x : Splat(0);
}

// The lane of the smallest value, the first of equals; NaN is never it, unless in lane 0.
inline std::size_t SmallestLane(Lanes x) {
  std::size_t smallest = 0;
  for (std::size_t lane = 1; lane < kLanes; ++lane)
    if (x[lane] < x[smallest]) smallest = lane;
  return smallest;
}

}  // namespace edgemoe::quant
