// SPDX-License-Identifier: Apache-2.0
//
// The search behind Q3_K and IQ4_XS, and behind Q6_K with importance: super-blocks whose sub-blocks
// have a signed integer scale each. Private to engine/quant.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/quant/block_formats.h"
#include "engine/quant/search/scale_fit.h"

namespace edgemoe::quant {

// x[i] ~ half(d) * scales[i / kSub] * q[i], q a level.
template <std::size_t kSub>
struct SymmetricSuperBlock {
  HalfBits d = 0;
  std::array<std::int8_t, kSuperBlock / kSub> scales{};
  std::array<std::int8_t, kSuperBlock> q{};
};

template <class Levels>
struct SymmetricFormat {
  Levels levels;
  int scale_min, scale_max;
  ScaleGrid grid;
  std::size_t starts;  // how many values of d are refined
  int rounds_max;      // of choosing integers and refitting d
};

// Looks for a small weighted error: the best scale of either sign in each sub-block; the d's at
// which their integers lose least; from each of these, neighbouring integers and refits of d in
// turn. Deterministic and the same on every machine. There is one of sub-blocks of 16 with
// IntegerLevels, and one of sub-blocks of 32 with CodebookLevels.
template <std::size_t kSub, class Levels>
SymmetricSuperBlock<kSub> SearchSymmetric(const WeightedBlock<kSuperBlock>& input,
                                          const SymmetricFormat<Levels>& format);

extern template SymmetricSuperBlock<16> SearchSymmetric(const WeightedBlock<kSuperBlock>&,
                                                        const SymmetricFormat<IntegerLevels>&);
extern template SymmetricSuperBlock<32> SearchSymmetric(const WeightedBlock<kSuperBlock>&,
                                                        const SymmetricFormat<CodebookLevels>&);

}  // namespace edgemoe::quant
