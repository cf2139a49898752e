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

#include "engine/quant/search/lanes.h"
#include "engine/quant/search/weighted_block.h"

namespace edgemoe::quant {

// Every integer from `low` to `high`.
struct IntegerLevels {
  float low, high;

  Lanes Nearest(Lanes t) const { return RoundToInteger(Clamp(t, Splat(low), Splat(high))); }
  float Largest() const { return std::max(-low, high); }
};

// The values of a codebook: integers from -128 to 127, which put the bounds between neighbours at
// multiples of 1/2.
class CodebookLevels {
 public:
  explicit constexpr CodebookLevels(const std::int8_t (&values)[16]) {
    for (std::size_t cell = 0; cell < kCells; ++cell) {
      const float center = (static_cast<float>(cell) + 0.5f) / 2 - kOrigin;
      float nearest = values[0];
      for (const float value : values) {
        const float miss = value - center, least = nearest - center;
        if (miss * miss < least * least) nearest = value;
        largest_ = std::max(largest_, std::max(value, -value));
      }
      nearest_[cell] = nearest;
    }
  }

  Lanes Nearest(Lanes t) const {
    const Lanes cell = Clamp((t + kOrigin) * 2, Splat(0), Splat(kCells - 1));
    Lanes level;
    for (std::size_t lane = 0; lane < kLanes; ++lane)
      level[lane] = nearest_[static_cast<unsigned>(static_cast<int>(cell[lane]))];
    return level;
  }
  float Largest() const { return largest_; }

 private:
  static constexpr std::size_t kCells = 512;
  static constexpr float kOrigin = 128;

  float nearest_[kCells] = {};  // of the cell that starts at cell / 2 - kOrigin
  float largest_ = 0;
};

// Four scales tried, one a lane.
struct ScaleTrial {
  Lanes error;        // of the scale tried
  Lanes refit_scale;  // the best one for its levels
  Lanes refit_error;
  Lanes wqq;  // sum of w * level^2
};

// Gives each of `n` elements the level nearest at `scale`.
template <class Levels>
inline ScaleTrial TryScale(const Lanes* x, const Lanes* w, std::size_t n, const Levels& levels,
                           Lanes scale) {
  const Lanes inverse = SafeInverse(scale);
  Lanes error = {}, wqq = {}, wqe = {};
  for (std::size_t i = 0; i < n; ++i) {
    const Lanes q = levels.Nearest(x[i] * inverse);
    const Lanes miss = scale * q - x[i];
    const Lanes wmiss = w[i] * miss;
    error += wmiss * miss;
    wqq += w[i] * q * q;
    wqe += wmiss * q;
  }
  const Lanes shift = wqq > 0 ? wqe / wqq : Splat(0);
  return {error, scale - shift, error - shift * wqe, wqq};
}

// `q` [n] of the levels nearest at `scale`.
template <class Levels, class Integer>
inline void AssignLevels(const Lanes* x, std::size_t n, const Levels& levels, float scale,
                         Integer* q) {
  const Lanes inverse = SafeInverse(Splat(scale));
  for (std::size_t i = 0; i < n; ++i)
    q[i] = static_cast<Integer>(levels.Nearest(x[i] * inverse)[0]);
}

// Scales to start from: those that map the largest magnitude to Largest() * (first + i * step).
struct ScaleGrid {
  float first, step;
  int count;  // a multiple of kLanes
  int refits;
};

struct ScaleFit {
  float scale = 0;
  float error = std::numeric_limits<float>::infinity();
  float wqq = 0;
};

inline float LargestMagnitude(const Lanes* x, std::size_t n) {
  float largest = 0;
  for (std::size_t i = 0; i < n; ++i) largest = std::max(largest, std::fabs(x[i][0]));
  return largest;
}

// The best scale of the given sign (1 or -1).
template <class Levels>
inline ScaleFit FitScale(const Lanes* x, const Lanes* w, std::size_t n, const Levels& levels,
                         const ScaleGrid& grid, float sign) {
  const float unit = sign * LargestMagnitude(x, n) / levels.Largest();
  ScaleTrial best = {};
  best.refit_error = Splat(std::numeric_limits<float>::infinity());
  Lanes position = Lanes{0, 1, 2, 3};
  for (int i = 0; i < grid.count; i += static_cast<int>(kLanes), position += kLanes) {
    Lanes scale = unit / (grid.first + grid.step * position);
    for (int refit = 0; refit < grid.refits; ++refit) {
      const ScaleTrial trial = TryScale(x, w, n, levels, scale);
      const auto better = trial.refit_error < best.refit_error;
      best.refit_error = better ? trial.refit_error : best.refit_error;
      best.refit_scale = better ? trial.refit_scale : best.refit_scale;
      best.wqq = better ? trial.wqq : best.wqq;
      scale = trial.refit_scale;
    }
  }
  const std::size_t lane = SmallestLane(best.refit_error);
  return {best.refit_scale[lane], best.refit_error[lane], best.wqq[lane]};
}

// The halves next to one, as scales: it, its neighbours of smaller and larger magnitude, zero.
struct NearbyHalves {
  explicit NearbyHalves(float scale) {
    const HalfBits nearest = ScaleToHalf(scale);
    const int magnitude = nearest & 0x7fff, sign = nearest & 0x8000;
    constexpr int kLargestBits = 0x7bff;
    halves[0] = nearest;
    halves[1] = static_cast<HalfBits>(sign | std::max(magnitude - 1, 0));
    halves[2] = static_cast<HalfBits>(sign | std::min(magnitude + 1, kLargestBits));
    halves[3] = 0;
    for (std::size_t lane = 0; lane < kLanes; ++lane) values[lane] = HalfToFloat(halves[lane]);
  }

  HalfBits halves[kLanes];
  Lanes values = {};
};

// The best half for a whole block of 32, whichever its sign, and its levels.
template <class Levels, class Integer>
inline HalfBits FitSmallBlock(const WeightedBlock<kSmallBlock>& block, const Levels& levels,
                              const ScaleGrid& grid, Integer q[kSmallBlock]) {
  const ScaleFit up = FitScale(block.x, block.w, kSmallBlock, levels, grid, 1);
  const ScaleFit down = FitScale(block.x, block.w, kSmallBlock, levels, grid, -1);
  const NearbyHalves nearby(down.error < up.error ? down.scale : up.scale);
  const std::size_t lane =
      SmallestLane(TryScale(block.x, block.w, kSmallBlock, levels, nearby.values).error);
  AssignLevels(block.x, kSmallBlock, levels, nearby.values[lane], q);
  return nearby.halves[lane];
}

}  // namespace edgemoe::quant
