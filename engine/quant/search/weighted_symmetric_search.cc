// SPDX-License-Identifier: Apache-2.0
#include "engine/quant/search/weighted_symmetric_search.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/quant/search/unit_starts.h"

namespace edgemoe::quant {
namespace {

// The search for one kind of levels and one size of sub-blocks.
template <std::size_t kSub, class Levels>
class Search {
 public:
  Search(const WeightedBlock<kSuperBlock>& input, const SymmetricFormat<Levels>& format)
      : input_(input), format_(format) {}

  SymmetricSuperBlock<kSub> Run();

 private:
  static constexpr std::size_t kSubCount = kSuperBlock / kSub;

  struct Integers {
    HalfBits d = 0;
    std::array<int, kSubCount> scales{};
    float error = std::numeric_limits<float>::infinity();
  };
  using Centers = std::array<std::array<int, 2>, kSubCount>;

  int NearestScale(float scale, float d) const;
  Lanes RoundingLoss(Lanes d) const;
  float ChooseScales(const Centers& centers, Integers* chosen) const;
  Integers Refine(float d) const;

  const WeightedBlock<kSuperBlock>& input_;
  const SymmetricFormat<Levels>& format_;
  std::array<std::array<ScaleFit, 2>, kSubCount> fits_;  // of either sign, the better first
};

template <std::size_t kSub, class Levels>
int Search<kSub, Levels>::NearestScale(float scale, float d) const {
  if (d == 0) return 0;
  const float ratio = std::clamp(scale / d, static_cast<float>(format_.scale_min),
                                 static_cast<float>(format_.scale_max));
  return static_cast<int>(std::lround(ratio));
}

// What the sub-blocks lose when their scales become multiples of each d, with levels as fitted.
template <std::size_t kSub, class Levels>
Lanes Search<kSub, Levels>::RoundingLoss(Lanes d) const {
  const Lanes inverse = SafeInverse(d);
  const Lanes low = Splat(static_cast<float>(format_.scale_min));
  const Lanes high = Splat(static_cast<float>(format_.scale_max));
  Lanes loss = {};
  for (const auto& pair : fits_) {
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
template <std::size_t kSub, class Levels>
float Search<kSub, Levels>::ChooseScales(const Centers& centers, Integers* chosen) const {
  const float d = HalfToFloat(chosen->d);
  float aa = 0, ax = 0;
  chosen->error = 0;
  for (std::size_t s = 0; s < kSubCount; ++s) {
    float best_error = std::numeric_limits<float>::infinity(), wqq = 0, wqx = 0;
    for (std::size_t c = 0; c < 2; ++c) {
      if (c > 0 && centers[s][1] == centers[s][0]) continue;
      const auto center = static_cast<float>(centers[s][c]);
      const Lanes integers = Clamp(Lanes{center, center - 1, center + 1, -center},
                                   Splat(static_cast<float>(format_.scale_min)),
                                   Splat(static_cast<float>(format_.scale_max)));
      const ScaleTrial trial =
          TryScale(input_.x + s * kSub, input_.w + s * kSub, kSub, format_.levels, d * integers);
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

template <std::size_t kSub, class Levels>
typename Search<kSub, Levels>::Integers Search<kSub, Levels>::Refine(float d) const {
  Integers best;
  for (int round = 0; round < format_.rounds_max; ++round) {
    Integers chosen;
    chosen.d = round == 0 ? ScaleToHalfOutwards(d) : ScaleToHalf(d);
    Centers centers;
    for (std::size_t s = 0; s < kSubCount; ++s) {
      for (std::size_t c = 0; c < 2; ++c)
        centers[s][c] = NearestScale(fits_[s][c].scale, HalfToFloat(chosen.d));
      if (round > 0) centers[s] = {best.scales[s], best.scales[s]};
    }
    d = ChooseScales(centers, &chosen);
    if (chosen.error >= best.error) break;
    best = chosen;
  }
  return best;
}

template <std::size_t kSub, class Levels>
SymmetricSuperBlock<kSub> Search<kSub, Levels>::Run() {
  float largest = 0;
  for (std::size_t s = 0; s < kSubCount; ++s) {
    for (std::size_t c = 0; c < 2; ++c)
      fits_[s][c] = FitScale(input_.x + s * kSub, input_.w + s * kSub, kSub, format_.levels,
                             format_.grid, c == 0 ? 1.0f : -1.0f);
    if (fits_[s][1].error < fits_[s][0].error) std::swap(fits_[s][0], fits_[s][1]);
    largest = std::max(largest, std::fabs(fits_[s][0].scale));
  }
  UnitStarts starts;
  for (std::size_t i = 0; i < UnitStarts::kStretches.size(); i += kLanes) {
    const Lanes d = UnitStarts::StretchesAt(i) * (largest / static_cast<float>(format_.scale_max));
    starts.Add(d, Splat(0), RoundingLoss(d));
  }
  Integers best;
  for (std::size_t i = 0; i < format_.starts; ++i) {
    const Integers found = Refine(starts.at(i).d);
    if (found.error < best.error) best = found;
  }
  SymmetricSuperBlock<kSub> block;
  block.d = best.d;
  for (std::size_t s = 0; s < kSubCount; ++s) {
    block.scales[s] = static_cast<std::int8_t>(best.scales[s]);
    AssignLevels(input_.x + s * kSub, kSub, format_.levels,
                 HalfToFloat(best.d) * static_cast<float>(best.scales[s]), &block.q[s * kSub]);
  }
  return block;
}

}  // namespace

template <std::size_t kSub, class Levels>
SymmetricSuperBlock<kSub> SearchSymmetric(const WeightedBlock<kSuperBlock>& input,
                                          const SymmetricFormat<Levels>& format) {
  return Search<kSub, Levels>(input, format).Run();
}

template SymmetricSuperBlock<16> SearchSymmetric(const WeightedBlock<kSuperBlock>&,
                                                 const SymmetricFormat<IntegerLevels>&);
template SymmetricSuperBlock<32> SearchSymmetric(const WeightedBlock<kSuperBlock>&,
                                                 const SymmetricFormat<CodebookLevels>&);

}  // namespace edgemoe::quant
