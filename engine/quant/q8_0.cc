// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "engine/quant/block_codecs.h"

namespace edgemoe::quant {

void EncodeBlock(const float x[kSmallBlock], BlockQ8_0* block) {
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
