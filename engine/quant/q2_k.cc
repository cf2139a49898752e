// SPDX-License-Identifier: Apache-2.0
#include "engine/quant/block_codecs.h"

namespace edgemoe::quant {

void DecodeBlock(const BlockQ2_K& block, float out[kSuperBlock]) {
  const float d = HalfToFloat(block.d);
  const float dmin = HalfToFloat(block.dmin);
  for (std::size_t i = 0; i < kSuperBlock; ++i) {
    const std::uint8_t packed = block.scales[i / 16];
    const float scale = d * static_cast<float>(packed & 15);
    const float minimum = dmin * static_cast<float>(packed >> 4);
    const int q = block.qs[32 * (i / 128) + i % 32] >> 2 * (i % 128 / 32) & 3;
    out[i] = scale * static_cast<float>(q) - minimum;
  }
}

}  // namespace edgemoe::quant
