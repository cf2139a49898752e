// SPDX-License-Identifier: Apache-2.0
#include "engine/quant/search/weighted_symmetric_search.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/quant/search/unit_starts.h"

namespace edgemoe::quant {
namespace {

constexpr std::size_t kSub = kSymmetricSubBlock;
constexpr std::size_t kSubCount = kSymmetricSubBlockCount;

using Fits = std::array<std::array<ScaleFit, 2>, kSubCount>;  // of either sign, the better first

struct Integers {
  HalfBits d = 0;
  std::array<int, kSubCount> scales{};
  float error = std::numeric_limits<float>::infinity();
};

int NearestScale(float scale, float d, const SymmetricFormat& format) {
  if (d == 0) return 0;
  const float ratio = std::clamp(scale / d, static_cast<float>(format.scale_min),
                                 static_cast<float>(format.scale_max));
  return static_cast<int>(std::lround(ratio));
}

// What the sub-blocks lose when their scales become multiples of each d, with levels as fitted.
Lanes RoundingLoss(const Fits& fits, Lanes d, const SymmetricFormat& format) {
  const Lanes inverse = SafeInverse(d);
  const Lanes low = Splat(static_cast<float>(format.scale_min));
  const Lanes high = Splat(static_cast<float>(format.scale_max));
  Lanes loss = {};
  for (const auto& pair : fits) {
    Lanes least = Splat(std::numeric_limits<float>::infinity());
    for (const ScaleFit& fit : pair) {
      const Lanes miss = d * RoundToInteger(Clamp(fit.scale * inverse, low, high)) - fit.scale;
      const Lanes error = fit.error + fit.wqq * miss * miss;
      least = error < least ? error : least;
    }
    loss += least;
  }
  return loss;
}

// Chooses each sub-block's integer: one of `centers`, its neighbours and its negative. Gives the d
// that suits the levels best.
float ChooseScales(const WeightedBlock<kSuperBlock>& input, const SymmetricFormat& format,
                   const std::array<std::array<int, 2>, kSubCount>& centers, Integers* chosen) {
  const float d = HalfToFloat(chosen->d);
  float aa = 0, ax = 0;
  chosen->error = 0;
  for (std::size_t s = 0; s < kSubCount; ++s) {
    float best_error = std::numeric_limits<float>::infinity(), wqq = 0, wqx = 0;
    for (std::size_t c = 0; c < 2; ++c) {
      if (c > 0 && centers[s][1] == centers[s][0]) continue;
      const auto center = static_cast<float>(centers[s][c]);
      const Lanes integers = Clamp(Lanes{center, center - 1, center + 1, -center},
                                   Splat(static_cast<float>(format.scale_min)),
                                   Splat(static_cast<float>(format.scale_max)));
      const ScaleTrial trial =
          TryScale(input.x + s * kSub, input.w + s * kSub, kSub, format.levels, d * integers);
      const std::size_t lane = SmallestLane(trial.error);
      if (trial.error[lane] >= best_error) continue;
      best_error = trial.error[lane];
      wqq = trial.wqq[lane];
      wqx = wqq * trial.refit_scale[lane];
      chosen->scales[s] = static_cast<int>(integers[lane]);
    }
    const auto integer = static_cast<float>(chosen->scales[s]);
    chosen->error += best_error;
    aa += integer * integer * wqq;
    ax += integer * wqx;
  }
  return aa > 0 ? ax / aa : d;
}

Integers Refine(const WeightedBlock<kSuperBlock>& input, const SymmetricFormat& format,
                const Fits& fits, float d) {
  Integers best;
  for (int round = 0; round < format.rounds_max; ++round) {
    Integers chosen;
    chosen.d = round == 0 ? ScaleToHalfOutwards(d) : ScaleToHalf(d);
    std::array<std::array<int, 2>, kSubCount> centers;
    for (std::size_t s = 0; s < kSubCount; ++s) {
      for (std::size_t c = 0; c < 2; ++c)
        centers[s][c] = NearestScale(fits[s][c].scale, HalfToFloat(chosen.d), format);
      if (round > 0) centers[s] = {best.scales[s], best.scales[s]};
    }
    d = ChooseScales(input, format, centers, &chosen);
    if (chosen.error >= best.error) break;
    best = chosen;
  }
  return best;
}

}  // namespace

SymmetricSuperBlock SearchSymmetric(const WeightedBlock<kSuperBlock>& input,
                                    const SymmetricFormat& format) {
  Fits fits;
  float largest = 0;
  for (std::size_t s = 0; s < kSubCount; ++s) {
    for (std::size_t c = 0; c < 2; ++c)
      fits[s][c] = FitScale(input.x + s * kSub, input.w + s * kSub, kSub, format.levels,
                            format.grid, c == 0 ? 1.0f : -1.0f);
    if (fits[s][1].error < fits[s][0].error) std::swap(fits[s][0], fits[s][1]);
    largest = std::max(largest, std::fabs(fits[s][0].scale));
  }
  UnitStarts starts;
  for (std::size_t i = 0; i < UnitStarts::kStretches.size(); i += kLanes) {
    const Lanes d = UnitStarts::StretchesAt(i) * (largest / static_cast<float>(format.scale_max));
    starts.Add(d, Splat(0), RoundingLoss(fits, d, format));
  }
  Integers best;
  for (std::size_t i = 0; i < format.starts; ++i) {
    const Integers found = Refine(input, format, fits, starts.at(i).d);
    if (found.error < best.error) best = found;
  }
  SymmetricSuperBlock block;
  block.d = best.d;
  for (std::size_t s = 0; s < kSubCount; ++s) {
    block.scales[s] = static_cast<std::int8_t>(best.scales[s]);
    AssignLevels(input.x + s * kSub, kSub, format.levels,
                 HalfToFloat(best.d) * static_cast<float>(best.scales[s]), &block.q[s * kSub]);
  }
  return block;
}

}  // namespace edgemoe::quant
