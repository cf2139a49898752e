// SPDX-License-Identifier: Apache-2.0
//
// The search behind Q3_K, and behind Q6_K with importance: super-blocks whose sub-blocks of 16 have
// a signed integer scale each. Private to engine/quant.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/quant/block_formats.h"
#include "engine/quant/search/scale_fit.h"

namespace edgemoe::quant {

constexpr std::size_t kSymmetricSubBlock = 16;
constexpr std::size_t kSymmetricSubBlockCount = kSuperBlock / kSymmetricSubBlock;

// x[i] ~ half(d) * scales[i / 16] * q[i].
struct SymmetricSuperBlock {
  HalfBits d = 0;
  std::array<std::int8_t, kSymmetricSubBlockCount> scales{};
  std::array<std::int8_t, kSuperBlock> q{};
};

struct SymmetricFormat {
  IntegerLevels levels;
  int scale_min, scale_max;
  ScaleGrid grid;
  std::size_t starts;  // how many values of d are refined
  int rounds_max;      // of choosing integers and refitting d
};

// Looks for a small weighted error: the best scale of either sign in each sub-block; the d's at
// which their integers lose least; from each of these, neighbouring integers and refits of d in
// turn. Deterministic and the same on every machine.
SymmetricSuperBlock SearchSymmetric(const WeightedBlock<kSuperBlock>& input,
                                    const SymmetricFormat& format);

}  // namespace edgemoe::quant
