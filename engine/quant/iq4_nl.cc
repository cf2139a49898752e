// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "engine/quant/block_codecs.h"
#include "engine/quant/codebooks.h"
#include "engine/quant/search/scale_fit.h"
#include "engine/quant/search/weighted_block.h"
#include "engine/quant/small_block_bits.h"

namespace edgemoe::quant {
namespace {

constexpr CodebookLevels kLevels(kIq4NlValues);
constexpr ScaleGrid kGrid = {0.75f, 0.05f, 16, 2};

}  // namespace

void EncodeBlock(const float x[kSmallBlock], const float* w, BlockIQ4_NL* block) {
  std::int8_t levels[kSmallBlock];
  block->d = FitSmallBlock(WeightedBlock<kSmallBlock>(x, w), kLevels, kGrid, levels);
  std::uint8_t q[kSmallBlock];
  for (std::size_t i = 0; i < kSmallBlock; ++i)
    q[i] = static_cast<std::uint8_t>(std::lower_bound(kIq4NlValues, kIq4NlValues + 16, levels[i]) -
                                     kIq4NlValues);
  PackNibbles(q, block->qs);
}

void DecodeBlock(const BlockIQ4_NL& block, float out[kSmallBlock]) {
  const float d = HalfToFloat(block.d);
  std::uint8_t q[kSmallBlock];
  UnpackNibbles(block.qs, q);
  for (std::size_t i = 0; i < kSmallBlock; ++i) out[i] = d * static_cast<float>(kIq4NlValues[q[i]]);
}

}  // namespace edgemoe::quant
