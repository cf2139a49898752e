// SPDX-License-Identifier: Apache-2.0
#include "engine/quant/block_codecs.h"
#include "engine/quant/search/scale_fit.h"
#include "engine/quant/search/weighted_block.h"
#include "engine/quant/small_block_bits.h"

namespace edgemoe::quant {
namespace {

constexpr ScaleGrid kGrid = {0.8f, 0.02f, 36, 1};

}  // namespace

void EncodeBlock(const float x[kSmallBlock], const float* w, BlockQ5_0* block) {
  std::int8_t levels[kSmallBlock];
  block->d = FitSmallBlock(WeightedBlock<kSmallBlock>(x, w), IntegerLevels{-16, 15}, kGrid, levels);
  std::uint8_t q[kSmallBlock];
  for (std::size_t i = 0; i < kSmallBlock; ++i) q[i] = static_cast<std::uint8_t>(levels[i] + 16);
  PackNibbles(q, block->qs);
  PackFifthBits(q, block->qh);
}

void DecodeBlock(const BlockQ5_0& block, float out[kSmallBlock]) {
  const float d = HalfToFloat(block.d);
  std::uint8_t q[kSmallBlock];
  UnpackNibbles(block.qs, q);
  UnpackFifthBits(block.qh, q);
  for (std::size_t i = 0; i < kSmallBlock; ++i) out[i] = d * static_cast<float>(q[i] - 16);
}

}  // namespace edgemoe::quant
