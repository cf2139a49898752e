// SPDX-License-Identifier: Apache-2.0
//
// The best line for a run of weighted elements, x ~ scale * level - minimum, levels the integers
// from 0 to q_max. Private to engine/quant.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "engine/quant/search/lanes.h"
#include "engine/quant/search/scale_fit.h"
#include "engine/quant/search/weighted_block.h"

namespace edgemoe::quant {

// Four lines, one a lane.
struct LaneLines {
  Lanes scale = {};
  Lanes minimum = {};
};

struct LineTrial {
  Lanes error;       // of the lines tried
  Lanes w, wq, wqq;  // sums of w, w * level, w * level^2
  Lanes we, wqe;     // of w * miss, w * level * miss
};

// Gives each of `n` elements the level nearest on each line.
inline LineTrial TryLines(const Lanes* x, const Lanes* w, std::size_t n, float q_max,
                          const LaneLines& lines) {
  const Lanes inverse = SafeInverse(lines.scale);
  const Lanes zero = {}, top = Splat(q_max);
  LineTrial sums = {};
  for (std::size_t i = 0; i < n; ++i) {
    const Lanes above = x[i] + lines.minimum;
    const Lanes q = RoundToInteger(Clamp(above * inverse, zero, top));
    const Lanes miss = lines.scale * q - above;
    const Lanes wmiss = w[i] * miss, wlevel = w[i] * q;
    sums.error += wmiss * miss;
    sums.w += w[i];
    sums.wq += wlevel;
    sums.wqq += wlevel * q;
    sums.we += wmiss;
    sums.wqe += wmiss * q;
  }
  return sums;
}

inline Lanes LineErrors(const Lanes* x, const Lanes* w, std::size_t n, float q_max,
                        const LaneLines& lines) {
  const Lanes inverse = SafeInverse(lines.scale);
  const Lanes zero = {}, top = Splat(q_max);
  Lanes error = {};
  for (std::size_t i = 0; i < n; ++i) {
    const Lanes above = x[i] + lines.minimum;
    const Lanes q = RoundToInteger(Clamp(above * inverse, zero, top));
    const Lanes miss = lines.scale * q - above;
    error += w[i] * miss * miss;
  }
  return error;
}

// `q` [n] of the levels nearest on a line.
inline void AssignLine(const Lanes* x, std::size_t n, float q_max, float scale, float minimum,
                       std::uint8_t* q) {
  const Lanes inverse = SafeInverse(Splat(scale));
  for (std::size_t i = 0; i < n; ++i) {
    const Lanes t = (x[i] + minimum) * inverse;
    q[i] = static_cast<std::uint8_t>(RoundToInteger(Clamp(t, Splat(0), Splat(q_max)))[0]);
  }
}

// How far the levels are stretched over the extremes to start from: the lowest element starts at
// level -(first + i * step), the highest at q_max + first + j * step, i and j below kLanes.
struct LineGrid {
  float first, step;
  int refits;
  bool minimum_not_negative;
};

struct LineFit {
  float scale = 0;
  float minimum = 0;
  float w = 0, wq = 0, wqq = 0;  // sums of the levels it was fitted to, as in LineTrial
};

struct LineRefit {
  LaneLines lines;
  Lanes error;
};

// The best lines for the levels of `trial`, made at `lines`; `lines` themselves where they
// determine none.
inline LineRefit RefitLines(const LineTrial& trial, const LaneLines& lines,
                            bool minimum_not_negative) {
  const Lanes determinant = trial.w * trial.wqq - trial.wq * trial.wq;
  const Lanes inverse = determinant > 1e-6f * trial.w * trial.wqq ? 1 / determinant : Splat(0);
  const Lanes down = (trial.w * trial.wqe - trial.wq * trial.we) * inverse;
  const Lanes up = (trial.wqq * trial.we - trial.wq * trial.wqe) * inverse;
  LineRefit refit = {{lines.scale - down, lines.minimum + up},
                     trial.error - down * trial.wqe - up * trial.we};
  if (minimum_not_negative) {  // where it came out negative, the best line through zero
    const Lanes wqe = trial.wqe + lines.minimum * trial.wq;
    const Lanes shift = wqe / trial.wqq;
    const Lanes at_zero = trial.error + lines.minimum * (2 * trial.we + lines.minimum * trial.w);
    const auto negative = (refit.lines.minimum < 0) & (trial.wqq > 0);
    refit.lines.scale = negative ? lines.scale - shift : refit.lines.scale;
    refit.error = negative ? at_zero - shift * wqe : refit.error;
    refit.lines.minimum = negative ? Splat(0) : refit.lines.minimum;
  }
  const auto valid = refit.lines.scale > 0;
  refit.lines.scale = valid ? refit.lines.scale : lines.scale;
  refit.lines.minimum = valid ? refit.lines.minimum : lines.minimum;
  refit.error = valid ? refit.error : trial.error;
  return refit;
}

inline LineFit FitLine(const Lanes* x, const Lanes* w, std::size_t n, float q_max,
                       const LineGrid& grid) {
  float low = x[0][0], high = low;
  for (std::size_t i = 1; i < n; ++i) {
    low = std::min(low, x[i][0]);
    high = std::max(high, x[i][0]);
  }
  if (grid.minimum_not_negative) low = std::min(low, 0.0f);
  const float range = high - low;
  if (!(range > 0)) return {0, -low, 1, 0, 0};
  LineTrial best = {};
  best.error = Splat(std::numeric_limits<float>::infinity());
  LaneLines best_lines;
  const Lanes above = grid.first + grid.step * Lanes{0, 1, 2, 3};
  for (std::size_t i = 0; i < kLanes; ++i) {
    const float below = above[i];
    LaneLines lines;
    lines.scale = range / (q_max + below + above);
    lines.minimum = -low - below * lines.scale;
    if (grid.minimum_not_negative) lines.minimum = lines.minimum < 0 ? Splat(0) : lines.minimum;
    for (int round = 0; round < grid.refits; ++round) {
      const LineTrial trial = TryLines(x, w, n, q_max, lines);
      const LineRefit refit = RefitLines(trial, lines, grid.minimum_not_negative);
      lines = refit.lines;
      const auto better = refit.error < best.error;
      best.error = better ? refit.error : best.error;
      best.w = better ? trial.w : best.w;
      best.wq = better ? trial.wq : best.wq;
      best.wqq = better ? trial.wqq : best.wqq;
      best_lines.scale = better ? lines.scale : best_lines.scale;
      best_lines.minimum = better ? lines.minimum : best_lines.minimum;
    }
  }
  const std::size_t lane = SmallestLane(best.error);
  return {best_lines.scale[lane], best_lines.minimum[lane], best.w[lane], best.wq[lane],
          best.wqq[lane]};
}

// The best halves for a whole block of 32, x ~ half(scale) * q + half(offset), and its levels.
struct HalfLine {
  HalfBits scale = 0;
  HalfBits offset = 0;
};
inline HalfLine FitSmallBlock(const WeightedBlock<kSmallBlock>& block, float q_max,
                              const LineGrid& grid, std::uint8_t q[kSmallBlock]) {
  const LineFit ideal = FitLine(block.x, block.w, kSmallBlock, q_max, grid);
  const NearbyHalves scales(ideal.scale);
  LaneLines lines = {scales.values, Splat(ideal.minimum)};
  const LineTrial trial = TryLines(block.x, block.w, kSmallBlock, q_max, lines);
  const Lanes minimum = lines.minimum + trial.we / trial.w;
  HalfBits offsets[kLanes];
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    offsets[lane] = ScaleToHalf(-minimum[lane]);
    lines.minimum[lane] = -HalfToFloat(offsets[lane]);
  }
  const std::size_t lane = SmallestLane(LineErrors(block.x, block.w, kSmallBlock, q_max, lines));
  AssignLine(block.x, kSmallBlock, q_max, lines.scale[lane], lines.minimum[lane], q);
  return {scales.halves[lane], offsets[lane]};
}

}  // namespace edgemoe::quant
