// SPDX-License-Identifier: Apache-2.0
#include "engine/quant/block_codecs.h"
#include "engine/quant/search/affine_search.h"

namespace edgemoe::quant {

void EncodeBlock(const float x[kSuperBlock], const float* w, BlockQ4_K* block) {
  const AffineSuperBlock found = SearchAffine(x, w, 15);
  block->d = found.d;
  block->dmin = found.dmin;
  PackScales(found, block->scales);
  for (std::size_t pair = 0; pair < kAffineSubBlockCount / 2; ++pair) {
    const std::uint8_t* q = &found.q[64 * pair];
    for (std::size_t i = 0; i < kAffineSubBlock; ++i)
      block->qs[32 * pair + i] = static_cast<std::uint8_t>(q[i] | q[i + 32] << 4);
  }
}

void DecodeBlock(const BlockQ4_K& block, float out[kSuperBlock]) {
  const float d = HalfToFloat(block.d);
  const float dmin = HalfToFloat(block.dmin);
  for (std::size_t s = 0; s < kAffineSubBlockCount; ++s) {
    const ScaleAndMin packed = UnpackScale(block.scales, s);
    const float scale = d * static_cast<float>(packed.scale);
    const float minimum = dmin * static_cast<float>(packed.min);
    const std::uint8_t* qs = block.qs + 32 * (s / 2);
    const int shift = s % 2 == 0 ? 0 : 4;
    for (std::size_t i = 0; i < kAffineSubBlock; ++i)
      out[kAffineSubBlock * s + i] = scale * static_cast<float>(qs[i] >> shift & 15) - minimum;
  }
}

}  // namespace edgemoe::quant
