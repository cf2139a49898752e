// SPDX-License-Identifier: Apache-2.0
//
// The units (d, dmin) of a super-block that its search refines: those of least estimated loss.
// Private to engine/quant.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>

namespace edgemoe::quant {

class UnitStarts {
 public:
  static constexpr int kKept = 4;
  static constexpr int kSteps = 16;

  struct Start {
    float d = 0;
    float dmin = 0;
    float loss = std::numeric_limits<float>::infinity();
  };

  // From 0.7 to 1.3 times `covering`, with which the largest multiple is just reached.
  static float Unit(float covering, int step) {
    return covering * (0.7f + 0.04f * static_cast<float>(step));
  }

  void Add(Start start) {
    for (Start& kept : kept_)
      if (start.loss < kept.loss) std::swap(start, kept);
  }

  // The one of `rank`-th least loss. REQUIRES: rank is below kKept and the number added.
  const Start& at(int rank) const { return kept_[static_cast<std::size_t>(rank)]; }

 private:
  std::array<Start, kKept> kept_;
};

}  // namespace edgemoe::quant
