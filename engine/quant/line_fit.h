// SPDX-License-Identifier: Apache-2.0
//
// The best line for a run of weighted elements, x ~ scale * level - minimum, levels the integers
// from 0 to q_max. Private to engine/quant.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "engine/quant/lanes.h"
#include "engine/quant/weighted_block.h"

namespace edgemoe::quant {

struct WeightedLine {
  float scale = 0;
  float minimum = 0;
};

struct LineTrial {
  float error = std::numeric_limits<float>::infinity();  // of the line tried
  float w = 0, wq = 0, wqq = 0;                          // sums of w, w * level, w * level^2
  float we = 0, wqe = 0;                                 // of w * miss, w * level * miss
};

// Gives each of `n` elements the level nearest on `line`. REQUIRES: n is a multiple of kLanes.
inline LineTrial TryLine(const float* x, const float* w, std::size_t n, float q_max,
                         const WeightedLine& line) {
  const Lanes inverse = Splat(SafeInverse(line.scale));
  const Lanes scale = Splat(line.scale), minimum = Splat(line.minimum);
  const Lanes zero = {}, top = Splat(q_max);
  Lanes error = {}, wq = {}, wqq = {}, we = {}, wqe = {}, sum_w = {};
  for (std::size_t i = 0; i < n; i += kLanes) {
    const Lanes above = Load(x + i) + minimum, ws = Load(w + i);
    const Lanes q = RoundToInteger(Clamp(above * inverse, zero, top));
    const Lanes miss = scale * q - above;
    const Lanes wmiss = ws * miss, wlevel = ws * q;
    error += wmiss * miss;
    sum_w += ws;
    wq += wlevel;
    wqq += wlevel * q;
    we += wmiss;
    wqe += wmiss * q;
  }
  return {Sum(error), Sum(sum_w), Sum(wq), Sum(wqq), Sum(we), Sum(wqe)};
}

inline float LineError(const float* x, const float* w, std::size_t n, float q_max,
                       const WeightedLine& line) {
  const Lanes inverse = Splat(SafeInverse(line.scale));
  const Lanes scale = Splat(line.scale), minimum = Splat(line.minimum);
  const Lanes zero = {}, top = Splat(q_max);
  Lanes error = {};
  for (std::size_t i = 0; i < n; i += kLanes) {
    const Lanes above = Load(x + i) + minimum;
    const Lanes q = RoundToInteger(Clamp(above * inverse, zero, top));
    const Lanes miss = scale * q - above;
    error += Load(w + i) * miss * miss;
  }
  return Sum(error);
}

// `q` [n] of the levels nearest on `line`.
inline void AssignLine(const float* x, std::size_t n, float q_max, const WeightedLine& line,
                       float* q) {
  const Lanes inverse = Splat(SafeInverse(line.scale));
  for (std::size_t i = 0; i < n; i += kLanes) {
    const Lanes t = (Load(x + i) + Splat(line.minimum)) * inverse;
    Store(RoundToInteger(Clamp(t, Splat(0), Splat(q_max))), q + i);
  }
}

// How far the levels are stretched over the extremes to start from: the lowest element starts at
// level -(first + i * step), the highest at q_max + first + j * step, for i and j below `count`.
struct LineGrid {
  float first, step;
  int count;
  int refits;
  bool minimum_not_negative;
};

struct LineFit {
  WeightedLine line;
  float error = std::numeric_limits<float>::infinity();
  LineTrial at;  // the sums of the levels it was fitted to
};

// The best line for the levels of `trial`, made at `line`; `line` itself where they determine none.
inline LineFit RefitLine(const LineTrial& trial, const WeightedLine& line,
                         bool minimum_not_negative) {
  LineFit fit{line, trial.error, trial};
  const float determinant = trial.w * trial.wqq - trial.wq * trial.wq;
  if (determinant > 1e-6f * trial.w * trial.wqq) {
    const float scale_shift = (trial.w * trial.wqe - trial.wq * trial.we) / determinant;
    const float minimum_shift = (trial.wqq * trial.we - trial.wq * trial.wqe) / determinant;
    fit.line = {line.scale - scale_shift, line.minimum + minimum_shift};
    fit.error = trial.error - scale_shift * trial.wqe - minimum_shift * trial.we;
  }
  if (minimum_not_negative && fit.line.minimum < 0 && trial.wqq > 0) {  // through zero, then
    const float wqe = trial.wqe + line.minimum * trial.wq;
    const float shift = wqe / trial.wqq;
    fit.line = {line.scale - shift, 0};
    const float raised =
        trial.error + 2 * line.minimum * trial.we + line.minimum * line.minimum * trial.w;
    fit.error = raised - shift * wqe;
  }
  if (!(fit.line.scale > 0) || !std::isfinite(fit.line.scale)) return {line, trial.error, trial};
  return fit;
}

inline LineFit FitLine(const float* x, const float* w, std::size_t n, float q_max,
                       const LineGrid& grid) {
  float low = x[0], high = x[0];
  for (std::size_t i = 1; i < n; ++i) {
    low = std::min(low, x[i]);
    high = std::max(high, x[i]);
  }
  if (grid.minimum_not_negative) low = std::min(low, 0.0f);
  const float range = high - low;
  LineFit best;
  best.line = {0, -low};
  if (!(range > 0)) {
    best.error = 0;
    best.at.w = 1;
    return best;
  }
  for (int i = 0; i < grid.count * grid.count; ++i) {
    const float below = grid.first + grid.step * static_cast<float>(i / grid.count);
    const float above = grid.first + grid.step * static_cast<float>(i % grid.count);
    WeightedLine line;
    line.scale = range / (q_max + below + above);
    line.minimum = -low - below * line.scale;
    if (grid.minimum_not_negative) line.minimum = std::max(line.minimum, 0.0f);
    for (int refit = 0; refit < grid.refits; ++refit) {
      const LineFit fit = RefitLine(TryLine(x, w, n, q_max, line), line, grid.minimum_not_negative);
      if (fit.error < best.error) best = fit;
      if (fit.line.scale == line.scale && fit.line.minimum == line.minimum) break;
      line = fit.line;
    }
  }
  return best;
}

// The best halves for a whole block of 32, x ~ half(scale) * q + half(offset), and its levels.
struct HalfLine {
  HalfBits scale = 0;
  HalfBits offset = 0;
};
inline HalfLine FitSmallBlock(const WeightedBlock<kSmallBlock>& block, float q_max,
                              const LineGrid& grid, std::uint8_t q[kSmallBlock]) {
  const WeightedLine ideal = FitLine(block.x, block.w, kSmallBlock, q_max, grid).line;
  const HalfBits nearest = ScaleToHalf(ideal.scale);
  HalfLine best;
  WeightedLine best_line;
  float best_error = std::numeric_limits<float>::infinity();
  for (int shift = -1; shift <= 1; ++shift) {
    const auto half = static_cast<HalfBits>(nearest + shift);
    WeightedLine line{HalfToFloat(half), ideal.minimum};
    if (!(line.scale >= 0 && line.scale <= kHalfMax)) continue;
    const LineTrial trial = TryLine(block.x, block.w, kSmallBlock, q_max, line);
    const HalfBits offset = ScaleToHalf(-line.minimum - trial.we / trial.w);
    line.minimum = -HalfToFloat(offset);
    const float error = LineError(block.x, block.w, kSmallBlock, q_max, line);
    if (error >= best_error) continue;
    best_error = error;
    best = {half, offset};
    best_line = line;
  }
  float levels[kSmallBlock];
  AssignLine(block.x, kSmallBlock, q_max, best_line, levels);
  for (std::size_t i = 0; i < kSmallBlock; ++i) q[i] = static_cast<std::uint8_t>(levels[i]);
  return best;
}

}  // namespace edgemoe::quant
