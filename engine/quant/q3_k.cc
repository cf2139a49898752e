// SPDX-License-Identifier: Apache-2.0
#include "engine/quant/block_codecs.h"

namespace edgemoe::quant {

void DecodeBlock(const BlockQ3_K& block, float out[kSuperBlock]) {
  const float d = HalfToFloat(block.d);
  for (std::size_t i = 0; i < kSuperBlock; ++i) {
    const std::size_t s = i / 16;
    const int low_scale = block.scales[s % 8] >> (s < 8 ? 0 : 4) & 15;
    const int high_scale = block.scales[8 + s % 4] >> 2 * (s / 4) & 3;
    const float scale = d * static_cast<float>((low_scale | high_scale << 4) - 32);
    const int low = block.qs[32 * (i / 128) + i % 32] >> 2 * (i % 128 / 32) & 3;
    const int high = block.hmask[i % 32] >> i / 32 & 1;
    out[i] = scale * static_cast<float>((low | high << 2) - 4);
  }
}

}  // namespace edgemoe::quant
