// SPDX-License-Identifier: Apache-2.0
#include <bit>

#include "engine/quant/block_codecs.h"
#include "engine/quant/codebooks.h"
#include "engine/quant/small_block_bits.h"

namespace edgemoe::quant {
namespace {

// 2^(e - 128), from the bits of the float: the exponent alone, or one bit of a subnormal.
float PowerScale(std::uint8_t e) {
  const std::uint32_t bits = e < 2 ? 0x00200000u << e : (std::uint32_t{e} - 1) << 23;
  return std::bit_cast<float>(bits);
}

}  // namespace

void DecodeBlock(const BlockMXFP4& block, float out[kSmallBlock]) {
  const float scale = PowerScale(block.e);
  std::uint8_t q[kSmallBlock];
  UnpackNibbles(block.qs, q);
  for (std::size_t i = 0; i < kSmallBlock; ++i)
    out[i] = scale * static_cast<float>(kMxfp4Values[q[i]]);
}

}  // namespace edgemoe::quant
