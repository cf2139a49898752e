// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iterator>

#include "engine/quant/block_codecs.h"
#include "engine/quant/search/weighted_symmetric_search.h"

namespace edgemoe::quant {
namespace {

constexpr std::size_t kSubBlock = 16;
constexpr SymmetricFormat<IntegerLevels> kFormat = {{-4, 3}, -32, 31, {0.6f, 0.1f, 12, 2}, 2, 3};

}  // namespace

void EncodeBlock(const float x[kSuperBlock], const float* w, BlockQ3_K* block) {
  const auto found = SearchSymmetric<kSubBlock>(WeightedBlock<kSuperBlock>(x, w), kFormat);
  block->d = found.d;
  std::fill(std::begin(block->scales), std::end(block->scales), std::uint8_t{0});
  for (std::size_t s = 0; s < kSuperBlock / kSubBlock; ++s) {
    const int scale = found.scales[s] + 32;
    block->scales[s % 8] |= static_cast<std::uint8_t>((scale & 15) << (s < 8 ? 0 : 4));
    block->scales[8 + s % 4] |= static_cast<std::uint8_t>((scale >> 4) << 2 * (s / 4));
  }
  std::fill(std::begin(block->hmask), std::end(block->hmask), std::uint8_t{0});
  std::fill(std::begin(block->qs), std::end(block->qs), std::uint8_t{0});
  for (std::size_t i = 0; i < kSuperBlock; ++i) {
    const int q = found.q[i] + 4;
    block->qs[32 * (i / 128) + i % 32] |= static_cast<std::uint8_t>((q & 3) << 2 * (i % 128 / 32));
    block->hmask[i % 32] |= static_cast<std::uint8_t>((q >> 2) << i / 32);
  }
}

void DecodeBlock(const BlockQ3_K& block, float out[kSuperBlock]) {
  const float d = HalfToFloat(block.d);
  for (std::size_t i = 0; i < kSuperBlock; ++i) {
    const std::size_t s = i / 16;
    const int low_scale = block.scales[s % 8] >> (s < 8 ? 0 : 4) & 15;
    const int high_scale = block.scales[8 + s % 4] >> 2 * (s / 4) & 3;
    const float scale = d * static_cast<float>((low_scale | high_scale << 4) - 32);
    const int low = block.qs[32 * (i / 128) + i % 32] >> 2 * (i % 128 / 32) & 3;
    const int high = block.hmask[i % 32] >> i / 32 & 1;
    out[i] = scale * static_cast<float>((low | high << 2) - 4);
  }
}

}  // namespace edgemoe::quant
