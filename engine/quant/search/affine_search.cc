// SPDX-License-Identifier: Apache-2.0
#include "engine/quant/search/affine_search.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/quant/half.h"
#include "engine/quant/search/search_weights.h"

namespace edgemoe::quant {
namespace {

constexpr int kScaleMax = 63;
constexpr int kGridSteps = 13;
constexpr float kGridFirst = -0.6f;  // added to q_max: how far the grid is stretched ...
constexpr float kGridStep = 0.15f;   // ... or squeezed, cutting the extremes
constexpr int kRefits = 2;
constexpr int kRounds = 3;

// x ~ scale * q - minimum, both at least 0.
struct Line {
  float scale = 0;
  float minimum = 0;
};

struct Run {  // one sub-block
  const float* x;
  const float* w;
};

int NearestLevel(float x, float inverse_scale, float minimum, float q_max) {
  const float level = (x + minimum) * inverse_scale;
  return static_cast<int>(std::min(std::max(level, 0.0f), q_max) + 0.5f);
}

// Assigns the levels nearest to `line`; gives the weighted squared error.
float Assign(const Run& run, const Line& line, int q_max, std::uint8_t* q) {
  const float inverse = line.scale > 0 ? FiniteOrZero(1 / line.scale) : 0;
  float error = 0;
  for (std::size_t i = 0; i < kAffineSubBlock; ++i) {
    const int level = NearestLevel(run.x[i], inverse, line.minimum, static_cast<float>(q_max));
    const float miss = line.scale * static_cast<float>(level) - line.minimum - run.x[i];
    error += run.w[i] * miss * miss;
    q[i] = static_cast<std::uint8_t>(level);
  }
  return error;
}

// The best line for given levels, or `fallback` where they do not determine one.
Line Refit(const Run& run, const std::uint8_t* q, const Line& fallback) {
  float w = 0, wq = 0, wqq = 0, wx = 0, wxq = 0;
  for (std::size_t i = 0; i < kAffineSubBlock; ++i) {
    const float level = q[i];
    w += run.w[i];
    wq += run.w[i] * level;
    wqq += run.w[i] * level * level;
    wx += run.w[i] * run.x[i];
    wxq += run.w[i] * run.x[i] * level;
  }
  const float determinant = w * wqq - wq * wq;
  if (!(determinant > 0)) return fallback;
  Line line{(w * wxq - wx * wq) / determinant, (wq * wxq - wqq * wx) / determinant};
  if (line.minimum < 0) line = {wxq / wqq, 0};
  return line.scale > 0 && std::isfinite(line.scale) && std::isfinite(line.minimum) ? line
                                                                                    : fallback;
}

Line FitSubBlock(const Run& run, int q_max) {
  const auto [lowest, highest] = std::minmax_element(run.x, run.x + kAffineSubBlock);
  const float low = std::min(*lowest, 0.0f);
  const float range = *highest - low;
  if (!(range > 0)) return {0, -low};
  Line best;
  float best_error = std::numeric_limits<float>::infinity();
  std::uint8_t q[kAffineSubBlock];
  for (int step = 0; step < kGridSteps; ++step) {
    const float levels =
        static_cast<float>(q_max) + kGridFirst + kGridStep * static_cast<float>(step);
    Line line{range / levels, -low};
    for (int refit = 0; refit <= kRefits; ++refit) {
      const float error = Assign(run, line, q_max, q);
      if (error < best_error) {
        best_error = error;
        best = line;
      }
      line = Refit(run, q, line);
    }
  }
  return best;
}

// Picks the integers for a sub-block: the rounded ones or a neighbour. Gives the error.
float ChooseIntegers(const Run& run, const Line& target, float d, float dmin, int q_max,
                     std::uint8_t* scale, std::uint8_t* min, std::uint8_t* q) {
  const auto nearest = [](float value, float unit) {
    return unit > 0 ? static_cast<int>(std::min(value / unit, float{kScaleMax}) + 0.5f) : 0;
  };
  const int scale_center = nearest(target.scale, d);
  const int min_center = nearest(target.minimum, dmin);
  float best_error = std::numeric_limits<float>::infinity();
  std::uint8_t levels[kAffineSubBlock];
  for (int s = std::max(scale_center - 1, 0); s <= std::min(scale_center + 1, kScaleMax); ++s) {
    for (int m = std::max(min_center - 1, 0); m <= std::min(min_center + 1, kScaleMax); ++m) {
      const Line line{d * static_cast<float>(s), dmin * static_cast<float>(m)};
      const float error = Assign(run, line, q_max, levels);
      if (error >= best_error) continue;
      best_error = error;
      *scale = static_cast<std::uint8_t>(s);
      *min = static_cast<std::uint8_t>(m);
      std::copy(levels, levels + kAffineSubBlock, q);
    }
  }
  return best_error;
}

// The best d and dmin for given integers and levels; unchanged where they do not determine both.
void RefitUnits(const SearchInput& input, const AffineSuperBlock& block, float* d, float* dmin) {
  double aa = 0, ab = 0, bb = 0, ax = 0, bx = 0;  // x ~ d * a - dmin * b
  for (std::size_t i = 0; i < kSuperBlock; ++i) {
    const double w = input.w[i];
    const double a = block.scales[i / kAffineSubBlock] * block.q[i];
    const double b = block.mins[i / kAffineSubBlock];
    aa += w * a * a;
    ab += w * a * b;
    bb += w * b * b;
    ax += w * a * input.x[i];
    bx += w * b * input.x[i];
  }
  const double determinant = aa * bb - ab * ab;
  if (determinant > 1e-9 * aa * bb) {
    const double new_d = (ax * bb - bx * ab) / determinant;
    const double new_dmin = (ab * ax - aa * bx) / determinant;
    if (new_d <= 0 || new_dmin <= 0) return;
    *d = static_cast<float>(new_d);
    *dmin = static_cast<float>(new_dmin);
  } else if (bb == 0 && aa > 0 && ax > 0) {
    *d = static_cast<float>(ax / aa);
  }
}

}  // namespace

AffineSuperBlock SearchAffine(const float x[kSuperBlock], int q_max) {
  const SearchInput input = MakeSearchInput(x);
  std::array<Line, kAffineSubBlockCount> lines;
  float d = 0, dmin = 0;
  for (std::size_t s = 0; s < kAffineSubBlockCount; ++s) {
    const std::size_t at = s * kAffineSubBlock;
    lines[s] = FitSubBlock({&input.x[at], &input.w[at]}, q_max);
    d = std::max(d, lines[s].scale / kScaleMax);
    dmin = std::max(dmin, lines[s].minimum / kScaleMax);
  }
  AffineSuperBlock best;
  float best_error = std::numeric_limits<float>::infinity();
  for (int round = 0; round < kRounds; ++round) {
    AffineSuperBlock block;
    block.d = round == 0 ? ScaleToHalfOutwards(d) : ScaleToHalf(d);
    block.dmin = round == 0 ? ScaleToHalfOutwards(dmin) : ScaleToHalf(dmin);
    float error = 0;
    for (std::size_t s = 0; s < kAffineSubBlockCount; ++s) {
      const std::size_t at = s * kAffineSubBlock;
      error += ChooseIntegers({&input.x[at], &input.w[at]}, lines[s], HalfToFloat(block.d),
                              HalfToFloat(block.dmin), q_max, &block.scales[s], &block.mins[s],
                              &block.q[at]);
    }
    if (error >= best_error) break;
    best_error = error;
    best = block;
    RefitUnits(input, block, &d, &dmin);
  }
  return best;
}

AffineSuperBlock SearchAffine(const float x[kSuperBlock], const float* w, int q_max) {
  if (w == nullptr) return SearchAffine(x, q_max);
  const AffineFormat format = {q_max, kScaleMax, {-1.0f, 0.6f, 2, true}, 2, 3};
  return SearchLines<kAffineSubBlock>(WeightedBlock<kSuperBlock>(x, w), format);
}

void PackScales(const AffineSuperBlock& from, std::uint8_t packed[12]) {
  for (std::size_t s = 0; s < 4; ++s) {
    packed[s] = static_cast<std::uint8_t>(from.scales[s] | (from.scales[s + 4] >> 4) << 6);
    packed[s + 4] = static_cast<std::uint8_t>(from.mins[s] | (from.mins[s + 4] >> 4) << 6);
    packed[s + 8] =
        static_cast<std::uint8_t>((from.scales[s + 4] & 15) | (from.mins[s + 4] & 15) << 4);
  }
}

ScaleAndMin UnpackScale(const std::uint8_t packed[12], std::size_t sub_block) {
  if (sub_block < 4)
    return {static_cast<std::uint8_t>(packed[sub_block] & 63),
            static_cast<std::uint8_t>(packed[sub_block + 4] & 63)};
  const std::size_t s = sub_block - 4;
  return {static_cast<std::uint8_t>((packed[s + 8] & 15) | (packed[s] >> 6) << 4),
          static_cast<std::uint8_t>((packed[s + 8] >> 4) | (packed[s + 4] >> 6) << 4)};
}

}  // namespace edgemoe::quant
