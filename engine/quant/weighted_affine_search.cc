// SPDX-License-Identifier: Apache-2.0
#include "engine/quant/weighted_affine_search.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/quant/unit_starts.h"

namespace edgemoe::quant {
namespace {

struct Units {
  float d = 0;
  float dmin = 0;
};

struct Pair {  // a sub-block's integers
  int scale = 0;
  int min = 0;
};

template <std::size_t kSub>
struct Integers {
  HalfBits d = 0;
  HalfBits dmin = 0;
  std::array<Pair, kSuperBlock / kSub> pairs{};
  float error = std::numeric_limits<float>::infinity();
};

template <std::size_t kSub>
using Fits = std::array<LineFit, kSuperBlock / kSub>;

int NearestMultiple(float value, float unit, int integer_max) {
  if (!(unit > 0)) return 0;
  const float ratio = std::min(std::max(value / unit, 0.0f), static_cast<float>(integer_max));
  return static_cast<int>(ratio + 0.5f);
}

// The minimum that suits `fit`'s levels best at another scale.
float MinimumAt(const LineFit& fit, float scale) {
  return fit.line.minimum + (scale - fit.line.scale) * fit.at.wq / fit.at.w;
}

// What the sub-blocks lose when their lines become multiples of the units, with levels as fitted.
template <std::size_t kSub>
float RoundingLoss(const Fits<kSub>& fits, const Units& units, int integer_max) {
  float loss = 0;
  for (const LineFit& fit : fits) {
    const float scale =
        units.d * static_cast<float>(NearestMultiple(fit.line.scale, units.d, integer_max));
    const float minimum = units.dmin * static_cast<float>(NearestMultiple(MinimumAt(fit, scale),
                                                                          units.dmin, integer_max));
    const float ds = scale - fit.line.scale, dm = minimum - fit.line.minimum;
    loss += fit.at.wqq * ds * ds - 2 * fit.at.wq * ds * dm + fit.at.w * dm * dm;
  }
  return loss;
}

// Chooses each sub-block's pair among the neighbours of `center(sub-block, scale)`, scale within
// one of `scales`. Gives the units that suit the levels best.
template <std::size_t kSub, class CenterMin>
Units ChoosePairs(const WeightedBlock<kSuperBlock>& input, const AffineFormat& format,
                  const std::array<int, kSuperBlock / kSub>& scales, const CenterMin& center_min,
                  Integers<kSub>* chosen) {
  const Units units{HalfToFloat(chosen->d), HalfToFloat(chosen->dmin)};
  const auto q_max = static_cast<float>(format.q_max);
  const auto line = [&units](const Pair& pair) {
    return WeightedLine{units.d * static_cast<float>(pair.scale),
                        units.dmin * static_cast<float>(pair.min)};
  };
  float aa = 0, ab = 0, bb = 0, ae = 0, be = 0;  // x + miss = d * a - dmin * b
  chosen->error = 0;
  for (std::size_t s = 0; s < kSuperBlock / kSub; ++s) {
    const float* x = input.x + s * kSub;
    const float* w = input.w + s * kSub;
    float best_error = std::numeric_limits<float>::infinity();
    Pair& best = chosen->pairs[s];
    for (int scale = std::max(scales[s] - 1, 0);
         scale <= std::min(scales[s] + 1, format.integer_max); ++scale) {
      const int center = center_min(s, scale);
      for (int min = std::max(center - 1, 0); min <= std::min(center + 1, format.integer_max);
           ++min) {
        const float error = LineError(x, w, kSub, q_max, line({scale, min}));
        if (error >= best_error) continue;
        best_error = error;
        best = {scale, min};
      }
    }
    const LineTrial trial = TryLine(x, w, kSub, q_max, line(best));
    const auto a = static_cast<float>(best.scale), b = static_cast<float>(best.min);
    chosen->error += trial.error;
    aa += a * a * trial.wqq;
    ab += a * b * trial.wq;
    bb += b * b * trial.w;
    ae += a * trial.wqe;
    be += b * trial.we;
  }
  const float determinant = aa * bb - ab * ab;
  Units refit = units;
  if (determinant > 1e-6f * aa * bb) {
    refit = {units.d - (ae * bb - be * ab) / determinant,
             units.dmin + (be * aa - ae * ab) / determinant};
  } else if (bb == 0 && aa > 0) {
    refit.d = units.d - ae / aa;
  }
  return refit.d > 0 && refit.dmin >= 0 ? refit : units;
}

template <std::size_t kSub>
Integers<kSub> Refine(const WeightedBlock<kSuperBlock>& input, const AffineFormat& format,
                      const Fits<kSub>& fits, Units units) {
  Integers<kSub> best;
  for (int round = 0; round < format.rounds_max; ++round) {
    Integers<kSub> chosen;
    chosen.d = round == 0 ? ScaleToHalfOutwards(units.d) : ScaleToHalf(units.d);
    chosen.dmin = round == 0 ? ScaleToHalfOutwards(units.dmin) : ScaleToHalf(units.dmin);
    const Units halves{HalfToFloat(chosen.d), HalfToFloat(chosen.dmin)};
    std::array<int, kSuperBlock / kSub> scales;
    for (std::size_t s = 0; s < scales.size(); ++s)
      scales[s] = round > 0 ? best.pairs[s].scale
                            : NearestMultiple(fits[s].line.scale, halves.d, format.integer_max);
    const auto center_min = [&](std::size_t s, int scale) {
      if (round > 0) return best.pairs[s].min;
      return NearestMultiple(MinimumAt(fits[s], halves.d * static_cast<float>(scale)), halves.dmin,
                             format.integer_max);
    };
    units = ChoosePairs<kSub>(input, format, scales, center_min, &chosen);
    if (chosen.error >= best.error) break;
    best = chosen;
  }
  return best;
}

}  // namespace

template <std::size_t kSub>
LineSuperBlock<kSub> SearchLines(const WeightedBlock<kSuperBlock>& input,
                                 const AffineFormat& format) {
  const auto q_max = static_cast<float>(format.q_max);
  Fits<kSub> fits;
  float largest_scale = 0, largest_min = 0;
  for (std::size_t s = 0; s < fits.size(); ++s) {
    fits[s] = FitLine(input.x + s * kSub, input.w + s * kSub, kSub, q_max, format.grid);
    largest_scale = std::max(largest_scale, fits[s].line.scale);
    largest_min = std::max(largest_min, fits[s].line.minimum);
  }
  UnitStarts starts;
  const auto integer_max = static_cast<float>(format.integer_max);
  for (int i = 0; i < UnitStarts::kSteps; ++i) {
    for (int j = 0; j < UnitStarts::kSteps; ++j) {
      const Units units{UnitStarts::Unit(largest_scale / integer_max, i),
                        UnitStarts::Unit(largest_min / integer_max, j)};
      starts.Add({units.d, units.dmin, RoundingLoss<kSub>(fits, units, format.integer_max)});
    }
  }
  Integers<kSub> best;
  for (int i = 0; i < format.starts; ++i) {
    const Units units{starts.at(i).d, starts.at(i).dmin};
    const Integers<kSub> found = Refine<kSub>(input, format, fits, units);
    if (found.error < best.error) best = found;
  }
  LineSuperBlock<kSub> block;
  block.d = best.d;
  block.dmin = best.dmin;
  for (std::size_t s = 0; s < fits.size(); ++s) {
    block.scales[s] = static_cast<std::uint8_t>(best.pairs[s].scale);
    block.mins[s] = static_cast<std::uint8_t>(best.pairs[s].min);
    const WeightedLine line{HalfToFloat(best.d) * static_cast<float>(best.pairs[s].scale),
                            HalfToFloat(best.dmin) * static_cast<float>(best.pairs[s].min)};
    float levels[kSub];
    AssignLine(input.x + s * kSub, kSub, q_max, line, levels);
    for (std::size_t i = 0; i < kSub; ++i)
      block.q[s * kSub + i] = static_cast<std::uint8_t>(levels[i]);
  }
  return block;
}

template LineSuperBlock<16> SearchLines<16>(const WeightedBlock<kSuperBlock>&, const AffineFormat&);
template LineSuperBlock<32> SearchLines<32>(const WeightedBlock<kSuperBlock>&, const AffineFormat&);

}  // namespace edgemoe::quant
