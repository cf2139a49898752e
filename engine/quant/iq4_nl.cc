// SPDX-License-Identifier: Apache-2.0
#include "engine/quant/block_codecs.h"
#include "engine/quant/codebooks.h"
#include "engine/quant/small_block_bits.h"

namespace edgemoe::quant {

void DecodeBlock(const BlockIQ4_NL& block, float out[kSmallBlock]) {
  const float d = HalfToFloat(block.d);
  std::uint8_t q[kSmallBlock];
  UnpackNibbles(block.qs, q);
  for (std::size_t i = 0; i < kSmallBlock; ++i) out[i] = d * static_cast<float>(kIq4NlValues[q[i]]);
}

}  // namespace edgemoe::quant
