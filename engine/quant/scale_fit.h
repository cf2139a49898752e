// SPDX-License-Identifier: Apache-2.0
//
// The best scale for a run of weighted elements, x ~ scale * level, with levels that are integers
// or those of a codebook. Private to engine/quant.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "engine/quant/lanes.h"
#include "engine/quant/weighted_block.h"

namespace edgemoe::quant {

// Every integer from `low` to `high`.
struct IntegerLevels {
  float low, high;

  Lanes Nearest(Lanes t) const { return RoundToInteger(Clamp(t, Splat(low), Splat(high))); }
  float Largest() const { return std::max(-low, high); }
};

// Sixteen ascending values.
class CodebookLevels {
 public:
  explicit CodebookLevels(const std::int8_t (&ascending)[16]) {
    for (std::size_t i = 0; i < 15; ++i) {
      const float a = ascending[i], b = ascending[i + 1];
      bounds_[i] = (a + b) / 2;
      steps_[i] = b - a;
    }
    first_ = ascending[0];
    largest_ = std::max<float>(-first_, ascending[15]);
  }

  Lanes Nearest(Lanes t) const {
    Lanes level = Splat(first_);
    for (std::size_t i = 0; i < 15; ++i)
      level += t > Splat(bounds_[i]) ? Splat(steps_[i]) : Splat(0);
    return level;
  }
  float Largest() const { return largest_; }

 private:
  float bounds_[15];
  float steps_[15];
  float first_, largest_;
};

struct ScaleTrial {
  float error = std::numeric_limits<float>::infinity();  // of the scale tried
  float refit_scale = 0;                                 // the best one for its levels
  float refit_error = std::numeric_limits<float>::infinity();
  float wqq = 0;  // sum of w * level^2
};

// Gives each of `n` elements the level nearest at `scale`. REQUIRES: n is a multiple of kLanes.
template <class Levels>
inline ScaleTrial TryScale(const float* x, const float* w, std::size_t n, const Levels& levels,
                           float scale) {
  const Lanes inverse = Splat(SafeInverse(scale));
  const Lanes scales = Splat(scale);
  Lanes error = {}, wqq = {}, wqe = {};
  for (std::size_t i = 0; i < n; i += kLanes) {
    const Lanes xs = Load(x + i), ws = Load(w + i);
    const Lanes q = levels.Nearest(xs * inverse);
    const Lanes miss = scales * q - xs;
    const Lanes wmiss = ws * miss;
    error += wmiss * miss;
    wqq += ws * q * q;
    wqe += wmiss * q;
  }
  ScaleTrial trial;
  trial.error = Sum(error);
  trial.wqq = Sum(wqq);
  const float shift = trial.wqq > 0 ? Sum(wqe) / trial.wqq : 0;
  trial.refit_scale = scale - shift;
  trial.refit_error = trial.error - shift * Sum(wqe);
  return trial;
}

// `q` [n] of the levels nearest at `scale`.
template <class Levels>
inline void AssignLevels(const float* x, std::size_t n, const Levels& levels, float scale,
                         float* q) {
  const Lanes inverse = Splat(SafeInverse(scale));
  for (std::size_t i = 0; i < n; i += kLanes) Store(levels.Nearest(Load(x + i) * inverse), q + i);
}

// Scales to start from: those that map the largest magnitude to Largest() * (first + i * step).
struct ScaleGrid {
  float first, step;
  int count;
  int refits;
};

struct ScaleFit {
  float scale = 0;
  float error = std::numeric_limits<float>::infinity();
  float wqq = 0;
};

inline float LargestMagnitude(const float* x, std::size_t n) {
  float largest = 0;
  for (std::size_t i = 0; i < n; ++i) largest = std::max(largest, std::fabs(x[i]));
  return largest;
}

// The best scale of the given sign (1 or -1).
template <class Levels>
inline ScaleFit FitScale(const float* x, const float* w, std::size_t n, const Levels& levels,
                         const ScaleGrid& grid, float sign) {
  const float unit = sign * LargestMagnitude(x, n) / levels.Largest();
  ScaleFit best;
  for (int i = 0; i < grid.count; ++i) {
    float scale = unit / (grid.first + grid.step * static_cast<float>(i));
    for (int refit = 0; refit < grid.refits; ++refit) {
      const ScaleTrial trial = TryScale(x, w, n, levels, scale);
      if (trial.refit_error < best.error) best = {trial.refit_scale, trial.refit_error, trial.wqq};
      if (trial.refit_scale == scale) break;
      scale = trial.refit_scale;
    }
  }
  return best;
}

// The best half for a whole block of 32, whichever its sign, and its levels.
template <class Levels>
inline HalfBits FitSmallBlock(const WeightedBlock<kSmallBlock>& block, const Levels& levels,
                              const ScaleGrid& grid, float q[kSmallBlock]) {
  const ScaleFit up = FitScale(block.x, block.w, kSmallBlock, levels, grid, 1);
  const ScaleFit down = FitScale(block.x, block.w, kSmallBlock, levels, grid, -1);
  const HalfBits nearest = ScaleToHalf(down.error < up.error ? down.scale : up.scale);
  HalfBits best = nearest;
  float best_error = std::numeric_limits<float>::infinity();
  for (int shift = -1; shift <= 1; ++shift) {
    const auto half = static_cast<HalfBits>(nearest + shift);
    const float scale = HalfToFloat(half);
    if (!(std::fabs(scale) <= kHalfMax)) continue;  // from zero or the largest to what is no scale
    const float error = TryScale(block.x, block.w, kSmallBlock, levels, scale).error;
    if (error >= best_error) continue;
    best_error = error;
    best = half;
  }
  AssignLevels(block.x, kSmallBlock, levels, HalfToFloat(best), q);
  return best;
}

}  // namespace edgemoe::quant
