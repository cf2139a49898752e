// SPDX-License-Identifier: Apache-2.0
#include "engine/quant/block_codecs.h"
#include "engine/quant/search/line_fit.h"
#include "engine/quant/search/weighted_block.h"
#include "engine/quant/small_block_bits.h"

namespace edgemoe::quant {
namespace {

constexpr LineGrid kGrid = {-1.0f, 0.6f, 3, false};

}  // namespace

void EncodeBlock(const float x[kSmallBlock], const float* w, BlockQ4_1* block) {
  std::uint8_t q[kSmallBlock];
  const HalfLine found = FitSmallBlock(WeightedBlock<kSmallBlock>(x, w), 15, kGrid, q);
  block->d = found.scale;
  block->m = found.offset;
  PackNibbles(q, block->qs);
}

void DecodeBlock(const BlockQ4_1& block, float out[kSmallBlock]) {
  const float d = HalfToFloat(block.d);
  const float m = HalfToFloat(block.m);
  std::uint8_t q[kSmallBlock];
  UnpackNibbles(block.qs, q);
  for (std::size_t i = 0; i < kSmallBlock; ++i) out[i] = d * static_cast<float>(q[i]) + m;
}

}  // namespace edgemoe::quant
