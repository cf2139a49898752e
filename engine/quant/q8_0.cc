// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "engine/quant/block_codecs.h"
#include "engine/quant/search/scale_fit.h"
#include "engine/quant/search/weighted_block.h"

namespace edgemoe::quant {
namespace {

constexpr ScaleGrid kGrid = {0.96f, 0.006f, 24, 2};

}  // namespace

void EncodeBlock(const float x[kSmallBlock], const float* w, BlockQ8_0* block) {
  if (w != nullptr) {
    block->d =
        FitSmallBlock(WeightedBlock<kSmallBlock>(x, w), IntegerLevels{-127, 127}, kGrid, block->qs);
    return;
  }
  float largest = 0;
  for (std::size_t i = 0; i < kSmallBlock; ++i)
    largest = std::max(largest, std::fabs(FiniteOrZero(x[i])));
  const float d = largest / 127;
  // A subnormal d has no finite inverse; as a half it is zero anyway.
  const float inverse = d == 0 ? 0 : FiniteOrZero(1 / d);
  block->d = ScaleToHalf(d);
  for (std::size_t i = 0; i < kSmallBlock; ++i)
    block->qs[i] = static_cast<std::int8_t>(std::round(FiniteOrZero(x[i]) * inverse));
}

void DecodeBlock(const BlockQ8_0& block, float out[kSmallBlock]) {
  const float d = HalfToFloat(block.d);
  for (std::size_t i = 0; i < kSmallBlock; ++i) out[i] = static_cast<float>(block.qs[i]) * d;
}

}  // namespace edgemoe::quant
