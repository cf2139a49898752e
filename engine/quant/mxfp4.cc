// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "engine/quant/block_codecs.h"
#include "engine/quant/codebooks.h"
#include "engine/quant/scale_fit.h"
#include "engine/quant/small_block_bits.h"
#include "engine/quant/weighted_block.h"

namespace edgemoe::quant {
namespace {

constexpr std::int8_t kAscending[16] = {-12, -8, -6, -4, -3, -2, -1, 0, 1, 2, 3, 4, 6, 8, 12, 12};
constexpr int kExponentMax = 251;   // the largest whose every value is finite
constexpr int kExponentsBelow = 3;  // how far smaller scales, which cut the extremes, are tried

// 2^(e - 128), from the bits of the float: the exponent alone, or one bit of a subnormal.
float PowerScale(std::uint8_t e) {
  const std::uint32_t bits = e < 2 ? 0x00200000u << e : (std::uint32_t{e} - 1) << 23;
  return std::bit_cast<float>(bits);
}

// The least exponent at which `largest` is within the values, if there is one.
int CoveringExponent(float largest) {
  int exponent = 0;
  std::frexp(largest / 12, &exponent);  // largest / 12 <= 2^exponent
  return std::clamp(exponent + 128, 0, kExponentMax);
}

}  // namespace

void EncodeBlock(const float x[kSmallBlock], const float* w, BlockMXFP4* block) {
  const WeightedBlock<kSmallBlock> input(x, w);
  const CodebookLevels levels(kAscending);
  const int center = CoveringExponent(LargestMagnitude(input.x, kSmallBlock));
  float best_error = std::numeric_limits<float>::infinity();
  for (int e = std::max(center - kExponentsBelow, 0); e <= center; ++e) {
    const float scale = PowerScale(static_cast<std::uint8_t>(e));
    const float error = TryScale(input.x, input.w, kSmallBlock, levels, scale).error;
    if (error >= best_error) continue;
    best_error = error;
    block->e = static_cast<std::uint8_t>(e);
  }
  float found[kSmallBlock];
  AssignLevels(input.x, kSmallBlock, levels, PowerScale(block->e), found);
  std::uint8_t q[kSmallBlock];
  for (std::size_t i = 0; i < kSmallBlock; ++i)
    q[i] = static_cast<std::uint8_t>(std::find(kMxfp4Values, kMxfp4Values + 16, found[i]) -
                                     kMxfp4Values);
  PackNibbles(q, block->qs);
}

void DecodeBlock(const BlockMXFP4& block, float out[kSmallBlock]) {
  const float scale = PowerScale(block.e);
  std::uint8_t q[kSmallBlock];
  UnpackNibbles(block.qs, q);
  for (std::size_t i = 0; i < kSmallBlock; ++i)
    out[i] = scale * static_cast<float>(kMxfp4Values[q[i]]);
}

}  // namespace edgemoe::quant
