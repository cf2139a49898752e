// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <cmath>

#include "engine/quant/block_codecs.h"
#include "engine/quant/codebooks.h"
#include "engine/quant/search/scale_fit.h"
#include "engine/quant/search/weighted_block.h"
#include "engine/quant/small_block_bits.h"

namespace edgemoe::quant {
namespace {

constexpr CodebookLevels kLevels(kMxfp4Values);
constexpr int kExponentMax = 251;  // the largest whose every value is finite

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
  // Smaller scales cut the extremes.
  const int center = CoveringExponent(LargestMagnitude(input.x, kSmallBlock));
  Lanes scales = {};
  std::uint8_t exponents[kLanes];
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    exponents[lane] = static_cast<std::uint8_t>(std::max(center - static_cast<int>(lane), 0));
    scales[lane] = PowerScale(exponents[lane]);
  }
  const std::size_t lane =
      SmallestLane(TryScale(input.x, input.w, kSmallBlock, kLevels, scales).error);
  block->e = exponents[lane];
  std::int8_t found[kSmallBlock];
  AssignLevels(input.x, kSmallBlock, kLevels, scales[lane], found);
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
