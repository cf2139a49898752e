// SPDX-License-Identifier: Apache-2.0
//
// The units (d, dmin) of a super-block that its search refines: those of least estimated loss.
// Private to engine/quant.
#pragma once

#include <array>
#include <cstddef>
#include <limits>
#include <utility>

#include "engine/quant/search/lanes.h"

namespace edgemoe::quant {

class UnitStarts {
 public:
  static constexpr std::size_t kKept = 4;

  // How the units tried relate to those with which the largest multiples are just reached.
  static constexpr std::array kStretches = {0.68f, 0.72f, 0.76f, 0.80f, 0.84f, 0.88f, 0.92f, 0.96f,
                                            1.00f, 1.03f, 1.07f, 1.11f, 1.15f, 1.20f, 1.26f, 1.33f};
  static Lanes StretchesAt(std::size_t i) {
    return Lanes{kStretches[i], kStretches[i + 1], kStretches[i + 2], kStretches[i + 3]};
  }

  struct Start {
    float d = 0;
    float dmin = 0;
    float loss = std::numeric_limits<float>::infinity();
  };

  void Add(Lanes d, Lanes dmin, Lanes loss) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      Start start{d[lane], dmin[lane], loss[lane]};
      for (Start& kept : kept_)
        if (start.loss < kept.loss) std::swap(start, kept);
    }
  }

  // The one of `rank`-th least loss. REQUIRES: rank is below kKept.
  const Start& at(std::size_t rank) const { return kept_[rank]; }

 private:
  std::array<Start, kKept> kept_;
};

}  // namespace edgemoe::quant
