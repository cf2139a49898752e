// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "engine/quant/block_codecs.h"
#include "engine/quant/search/affine_search.h"

namespace edgemoe::quant {

void EncodeBlock(const float x[kSuperBlock], const float* w, BlockQ5_K* block) {
  const AffineSuperBlock found = SearchAffine(x, w, 31);
  block->d = found.d;
  block->dmin = found.dmin;
  PackScales(found, block->scales);
  std::memset(block->qh, 0, sizeof(block->qh));
  for (std::size_t pair = 0; pair < kAffineSubBlockCount / 2; ++pair) {
    const std::uint8_t* q = &found.q[64 * pair];
    for (std::size_t i = 0; i < kAffineSubBlock; ++i) {
      const int low = q[i], high = q[i + 32];
      block->qs[32 * pair + i] = static_cast<std::uint8_t>((low & 15) | (high & 15) << 4);
      const int fifth_bits = low >> 4 | (high >> 4) << 1;
      block->qh[i] = static_cast<std::uint8_t>(block->qh[i] | fifth_bits << 2 * pair);
    }
  }
}

void DecodeBlock(const BlockQ5_K& block, float out[kSuperBlock]) {
  const float d = HalfToFloat(block.d);
  const float dmin = HalfToFloat(block.dmin);
  for (std::size_t s = 0; s < kAffineSubBlockCount; ++s) {
    const ScaleAndMin packed = UnpackScale(block.scales, s);
    const float scale = d * static_cast<float>(packed.scale);
    const float minimum = dmin * static_cast<float>(packed.min);
    const std::uint8_t* qs = block.qs + 32 * (s / 2);
    const int shift = s % 2 == 0 ? 0 : 4;
    for (std::size_t i = 0; i < kAffineSubBlock; ++i) {
      const int q = (qs[i] >> shift & 15) | (block.qh[i] >> s & 1) << 4;
      out[kAffineSubBlock * s + i] = scale * static_cast<float>(q) - minimum;
    }
  }
}

}  // namespace edgemoe::quant
