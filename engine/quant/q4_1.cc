// SPDX-License-Identifier: Apache-2.0
#include "engine/quant/block_codecs.h"
#include "engine/quant/small_block_bits.h"

namespace edgemoe::quant {

void DecodeBlock(const BlockQ4_1& block, float out[kSmallBlock]) {
  const float d = HalfToFloat(block.d);
  const float m = HalfToFloat(block.m);
  std::uint8_t q[kSmallBlock];
  UnpackNibbles(block.qs, q);
  for (std::size_t i = 0; i < kSmallBlock; ++i) out[i] = d * static_cast<float>(q[i]) + m;
}

}  // namespace edgemoe::quant
