// SPDX-License-Identifier: Apache-2.0
#include "engine/quant/block_codecs.h"
#include "engine/quant/search/weighted_affine_search.h"

namespace edgemoe::quant {
namespace {

constexpr std::size_t kSubBlock = 16;
constexpr AffineFormat kFormat = {3, 15, {-0.5f, 0.6f, 2, true}, 2, 4};

}  // namespace

void EncodeBlock(const float x[kSuperBlock], const float* w, BlockQ2_K* block) {
  const LineSuperBlock<kSubBlock> found =
      SearchLines<kSubBlock>(WeightedBlock<kSuperBlock>(x, w), kFormat);
  block->d = found.d;
  block->dmin = found.dmin;
  for (std::size_t s = 0; s < kSuperBlock / kSubBlock; ++s)
    block->scales[s] = static_cast<std::uint8_t>(found.scales[s] | found.mins[s] << 4);
  for (std::size_t i = 0; i < kSuperBlock / 4; ++i) {
    const std::uint8_t* q = &found.q[128 * (i / 32) + i % 32];
    block->qs[i] = static_cast<std::uint8_t>(q[0] | q[32] << 2 | q[64] << 4 | q[96] << 6);
  }
}

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
