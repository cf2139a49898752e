// SPDX-License-Identifier: Apache-2.0
//
// What the searches of the K-quants minimise. Private to engine/quant.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "engine/quant/block_codecs.h"

namespace edgemoe::quant {

// Elements of a super-block, made safe for the search, and the weight of each one's squared error.
struct SearchInput {
  std::array<float, kSuperBlock> x;
  std::array<float, kSuperBlock> w;
};

// Large weights matter more than their share: errors are weighted by rms + magnitude. Values are
// cut to what a 6-bit multiple of a half can express, which also keeps sums of squares finite.
inline SearchInput MakeSearchInput(const float source[kSuperBlock]) {
  constexpr float kLimit = 63 * kHalfMax;
  SearchInput input;
  float squares = 0;
  for (std::size_t i = 0; i < kSuperBlock; ++i) {
    input.x[i] = std::clamp(FiniteOrZero(source[i]), -kLimit, kLimit);
    squares += input.x[i] * input.x[i];
  }
  const float rms = std::sqrt(squares / kSuperBlock);
  for (std::size_t i = 0; i < kSuperBlock; ++i) input.w[i] = rms + std::fabs(input.x[i]);
  return input;
}

}  // namespace edgemoe::quant
