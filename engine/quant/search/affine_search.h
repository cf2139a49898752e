// SPDX-License-Identifier: Apache-2.0
//
// The search behind Q4_K and Q5_K without importance, and the choice between it and the weighted
// one; the two formats differ only in how they pack its result. Private to engine/quant.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/quant/search/weighted_affine_search.h"

namespace edgemoe::quant {

constexpr std::size_t kAffineSubBlock = 32;
constexpr std::size_t kAffineSubBlockCount = kSuperBlock / kAffineSubBlock;

using AffineSuperBlock = LineSuperBlock<kAffineSubBlock>;  // scales and mins from 0 to 63

// Looks for small sum of w * (x - decoded)^2, w = rms(x) + |x|: a grid of scales with least-squares
// refits in each sub-block, then neighbouring integers and a refit of d and dmin over the whole
// block. Deterministic: no threads, no randomness, the same on every machine.
AffineSuperBlock SearchAffine(const float x[kSuperBlock], int q_max);

// Looks for small sum of w * (x - decoded)^2 with the weights `w`; null: those of the search
// without `w`.
AffineSuperBlock SearchAffine(const float x[kSuperBlock], const float* w, int q_max);

// The 12 bytes of 6-bit scales and mins.
void PackScales(const AffineSuperBlock& from, std::uint8_t packed[12]);
struct ScaleAndMin {
  std::uint8_t scale = 0;
  std::uint8_t min = 0;
};
ScaleAndMin UnpackScale(const std::uint8_t packed[12], std::size_t sub_block);

}  // namespace edgemoe::quant
