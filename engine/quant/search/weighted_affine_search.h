// SPDX-License-Identifier: Apache-2.0
//
// The search behind Q2_K, and behind Q4_K and Q5_K with importance: super-blocks whose sub-blocks
// have an integer scale and an integer minimum each. Private to engine/quant.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/quant/block_formats.h"
#include "engine/quant/search/line_fit.h"

namespace edgemoe::quant {

// x[i] ~ half(d) * scales[s] * q[i] - half(dmin) * mins[s], s = i / sub-block size.
template <std::size_t kSub>
struct LineSuperBlock {
  HalfBits d = 0;
  HalfBits dmin = 0;
  std::array<std::uint8_t, kSuperBlock / kSub> scales{};  // 0 to integer_max
  std::array<std::uint8_t, kSuperBlock / kSub> mins{};    // 0 to integer_max
  std::array<std::uint8_t, kSuperBlock> q{};              // 0 to q_max
};

struct AffineFormat {
  int q_max;
  int integer_max;
  LineGrid grid;
  std::size_t starts;  // how many pairs of d and dmin are refined
  int rounds_max;      // of choosing integers and refitting d and dmin
};

// Looks for a small weighted error: the best line in each sub-block; the pairs (d, dmin) at which
// their integers lose least; from each of these, neighbouring integers and refits of both units in
// turn. Deterministic and the same on every machine. kSub is 16 or 32.
template <std::size_t kSub>
LineSuperBlock<kSub> SearchLines(const WeightedBlock<kSuperBlock>& input,
                                 const AffineFormat& format);

}  // namespace edgemoe::quant
