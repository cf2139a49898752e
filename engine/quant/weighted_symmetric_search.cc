// SPDX-License-Identifier: Apache-2.0
#include "engine/quant/weighted_symmetric_search.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/quant/unit_starts.h"

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

// What the sub-blocks lose when their scales become multiples of d, with levels as they were
// fitted.
float RoundingLoss(const Fits& fits, float d, const SymmetricFormat& format) {
  float loss = 0;
  for (const auto& pair : fits) {
    float least = std::numeric_limits<float>::infinity();
    for (const ScaleFit& fit : pair) {
      const float miss = d * static_cast<float>(NearestScale(fit.scale, d, format)) - fit.scale;
      least = std::min(least, fit.error + fit.wqq * miss * miss);
    }
    loss += least;
  }
  return loss;
}

// Chooses each sub-block's integer among the neighbours of `centers`. Gives the d that suits best.
float ChooseScales(const WeightedBlock<kSuperBlock>& input, const SymmetricFormat& format,
                   const std::array<std::array<int, 2>, kSubCount>& centers, Integers* chosen) {
  const float d = HalfToFloat(chosen->d);
  float aa = 0, ax = 0;
  chosen->error = 0;
  for (std::size_t s = 0; s < kSubCount; ++s) {
    const float* x = input.x + s * kSub;
    const float* w = input.w + s * kSub;
    ScaleTrial best;
    for (std::size_t c = 0; c < 2; ++c) {
      if (c > 0 && centers[s][1] == centers[s][0]) continue;
      for (int integer = std::max(centers[s][c] - 1, format.scale_min);
           integer <= std::min(centers[s][c] + 1, format.scale_max); ++integer) {
        const ScaleTrial trial =
            TryScale(x, w, kSub, format.levels, d * static_cast<float>(integer));
        if (trial.error >= best.error) continue;
        best = trial;
        chosen->scales[s] = integer;
      }
    }
    const auto integer = static_cast<float>(chosen->scales[s]);
    chosen->error += best.error;
    aa += integer * integer * best.wqq;
    ax += integer * best.wqq * best.refit_scale;
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
  for (int step = 0; step < UnitStarts::kSteps; ++step) {
    const float d = UnitStarts::Unit(largest / static_cast<float>(format.scale_max), step);
    starts.Add({d, 0, RoundingLoss(fits, d, format)});
  }
  Integers best;
  for (int i = 0; i < format.starts; ++i) {
    const Integers found = Refine(input, format, fits, starts.at(i).d);
    if (found.error < best.error) best = found;
  }
  SymmetricSuperBlock block;
  block.d = best.d;
  for (std::size_t s = 0; s < kSubCount; ++s) {
    block.scales[s] = static_cast<std::int8_t>(best.scales[s]);
    float levels[kSub];
    AssignLevels(input.x + s * kSub, kSub, format.levels,
                 HalfToFloat(best.d) * static_cast<float>(best.scales[s]), levels);
    for (std::size_t i = 0; i < kSub; ++i)
      block.q[s * kSub + i] = static_cast<std::int8_t>(levels[i]);
  }
  return block;
}

}  // namespace edgemoe::quant
