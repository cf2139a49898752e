// SPDX-License-Identifier: Apache-2.0
#include "engine/quant/search/weighted_affine_search.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/quant/search/unit_starts.h"

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
  return fit.minimum + (scale - fit.scale) * fit.wq / fit.w;
}

// What the sub-blocks lose when their lines become multiples of `d` and of each `dmin`, with levels
// as fitted.
template <std::size_t kSub>
Lanes RoundingLoss(const Fits<kSub>& fits, float d, Lanes dmin, float integer_max) {
  const Lanes ds = Splat(d), d_inverse = SafeInverse(ds), dmin_inverse = SafeInverse(dmin);
  const Lanes zero = {}, top = Splat(integer_max);
  Lanes loss = {};
  for (const LineFit& fit : fits) {
    const Lanes scale = ds * RoundToInteger(Clamp(fit.scale * d_inverse, zero, top));
    const Lanes scale_miss = scale - fit.scale;
    const Lanes wanted = fit.minimum + scale_miss * (fit.wq / fit.w);
    const Lanes min_miss =
        dmin * RoundToInteger(Clamp(wanted * dmin_inverse, zero, top)) - fit.minimum;
    loss +=
        scale_miss * (fit.wqq * scale_miss - 2 * fit.wq * min_miss) + fit.w * min_miss * min_miss;
  }
  return loss;
}

// Chooses each sub-block's pair: scales next to `scales`, and for each of them four minima around
// `min_at(sub-block, scale)`, in multiples of dmin. Gives the units that suit the levels best.
template <std::size_t kSub, class MinAt>
Units ChoosePairs(const WeightedBlock<kSuperBlock>& input, const AffineFormat& format,
                  const std::array<int, kSuperBlock / kSub>& scales, const MinAt& min_at,
                  Integers<kSub>* chosen) {
  const Units units{HalfToFloat(chosen->d), HalfToFloat(chosen->dmin)};
  const auto q_max = static_cast<float>(format.q_max);
  const Lanes top = Splat(static_cast<float>(format.integer_max));
  float aa = 0, ab = 0, bb = 0, ae = 0, be = 0;  // x + miss = d * a - dmin * b
  chosen->error = 0;
  for (std::size_t s = 0; s < kSuperBlock / kSub; ++s) {
    const Lanes* x = input.x + s * kSub;
    const Lanes* w = input.w + s * kSub;
    float best_error = std::numeric_limits<float>::infinity();
    float a = 0, b = 0;
    for (int scale = std::max(scales[s] - 1, 0);
         scale <= std::min(scales[s] + 1, format.integer_max); ++scale) {
      const auto multiple = static_cast<float>(scale);
      const float floor = std::floor(min_at(s, scale));
      const Lanes mins = Clamp(floor + Lanes{0, 1, -1, 2}, Splat(0), top);
      const Lanes errors =
          LineErrors(x, w, kSub, q_max, {Splat(units.d * multiple), units.dmin * mins});
      const std::size_t lane = SmallestLane(errors);
      if (errors[lane] >= best_error) continue;
      best_error = errors[lane];
      a = multiple;
      b = mins[lane];
    }
    chosen->pairs[s] = {static_cast<int>(a), static_cast<int>(b)};
    const LineTrial trial =
        TryLines(x, w, kSub, q_max, {Splat(units.d * a), Splat(units.dmin * b)});
    chosen->error += trial.error[0];
    aa += a * a * trial.wqq[0];
    ab += a * b * trial.wq[0];
    bb += b * b * trial.w[0];
    ae += a * trial.wqe[0];
    be += b * trial.we[0];
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
                            : NearestMultiple(fits[s].scale, halves.d, format.integer_max);
    const auto min_at = [&](std::size_t s, int scale) {
      if (round > 0) return static_cast<float>(best.pairs[s].min);
      const float minimum = MinimumAt(fits[s], halves.d * static_cast<float>(scale));
      return halves.dmin > 0 ? std::clamp(minimum / halves.dmin, 0.0f, 63.0f) : 0;
    };
    units = ChoosePairs<kSub>(input, format, scales, min_at, &chosen);
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
    largest_scale = std::max(largest_scale, fits[s].scale);
    largest_min = std::max(largest_min, fits[s].minimum);
  }
  UnitStarts starts;
  const auto integer_max = static_cast<float>(format.integer_max);
  for (const float stretch : UnitStarts::kStretches) {
    const float d = stretch * largest_scale / integer_max;
    for (std::size_t j = 0; j < UnitStarts::kStretches.size(); j += kLanes) {
      const Lanes dmin = UnitStarts::StretchesAt(j) * (largest_min / integer_max);
      starts.Add(Splat(d), dmin, RoundingLoss<kSub>(fits, d, dmin, integer_max));
    }
  }
  Integers<kSub> best;
  for (std::size_t i = 0; i < format.starts; ++i) {
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
    AssignLine(input.x + s * kSub, kSub, q_max,
               HalfToFloat(best.d) * static_cast<float>(best.pairs[s].scale),
               HalfToFloat(best.dmin) * static_cast<float>(best.pairs[s].min), &block.q[s * kSub]);
  }
  return block;
}

template LineSuperBlock<16> SearchLines<16>(const WeightedBlock<kSuperBlock>&, const AffineFormat&);
template LineSuperBlock<32> SearchLines<32>(const WeightedBlock<kSuperBlock>&, const AffineFormat&);

}  // namespace edgemoe::quant
