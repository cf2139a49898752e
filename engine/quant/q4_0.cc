// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "engine/quant/block_codecs.h"
#include "engine/quant/search/scale_fit.h"
#include "engine/quant/search/weighted_block.h"
#include "engine/quant/small_block_bits.h"

namespace edgemoe::quant {
namespace {

constexpr ScaleGrid kGrid = {0.75f, 0.05f, 20, 2};

constexpr std::size_t kHalfBlock = kSmallBlock / 2;

// Rounds half upwards, as the format's other implementations do.
std::uint8_t Nibble(float x, float inverse) {
  return static_cast<std::uint8_t>(std::min(FiniteOrZero(x) * inverse + 8.5f, 15.0f));
}

}  // namespace

void EncodeBlock(const float x[kSmallBlock], const float* w, BlockQ4_0* block) {
  if (w != nullptr) {
    std::int8_t levels[kSmallBlock];
    block->d = FitSmallBlock(WeightedBlock<kSmallBlock>(x, w), IntegerLevels{-8, 7}, kGrid, levels);
    std::uint8_t q[kSmallBlock];
    for (std::size_t i = 0; i < kSmallBlock; ++i) q[i] = static_cast<std::uint8_t>(levels[i] + 8);
    PackNibbles(q, block->qs);
    return;
  }
  float extreme = FiniteOrZero(x[0]);  // first of largest magnitude: it becomes -8 exactly
  for (std::size_t i = 1; i < kSmallBlock; ++i) {
    const float value = FiniteOrZero(x[i]);
    if (std::fabs(value) > std::fabs(extreme)) extreme = value;
  }
  const float d = extreme / -8;
  const float inverse = d == 0 ? 0 : FiniteOrZero(1 / d);
  block->d = ScaleToHalf(d);
  for (std::size_t i = 0; i < kHalfBlock; ++i) {
    const std::uint8_t low = Nibble(x[i], inverse);
    const std::uint8_t high = Nibble(x[i + kHalfBlock], inverse);
    block->qs[i] = static_cast<std::uint8_t>(low | high << 4);
  }
}

void DecodeBlock(const BlockQ4_0& block, float out[kSmallBlock]) {
  const float d = HalfToFloat(block.d);
  for (std::size_t i = 0; i < kHalfBlock; ++i) {
    out[i] = d * static_cast<float>((block.qs[i] & 15) - 8);
    out[i + kHalfBlock] = d * static_cast<float>((block.qs[i] >> 4) - 8);
  }
}

}  // namespace edgemoe::quant
