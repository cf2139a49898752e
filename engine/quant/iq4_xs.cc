// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iterator>

#include "engine/quant/block_codecs.h"
#include "engine/quant/codebooks.h"
#include "engine/quant/search/weighted_symmetric_search.h"

namespace edgemoe::quant {
namespace {

constexpr std::size_t kSubBlock = 32;
constexpr SymmetricFormat<CodebookLevels> kFormat = {CodebookLevels(kIq4NlValues), -32, 31,
                                                     {0.75f, 0.05f, 16, 2},        2,   3};

unsigned IndexOf(int level) {
  return static_cast<unsigned>(
      std::lower_bound(std::begin(kIq4NlValues), std::end(kIq4NlValues), level) -
      std::begin(kIq4NlValues));
}

}  // namespace

void EncodeBlock(const float x[kSuperBlock], const float* w, BlockIQ4_XS* block) {
  const auto found = SearchSymmetric<kSubBlock>(WeightedBlock<kSuperBlock>(x, w), kFormat);
  block->d = found.d;
  unsigned high = 0;
  for (std::size_t s = 0; s < kSuperBlock / kSubBlock; s += 2) {
    const unsigned even = static_cast<unsigned>(found.scales[s] + 32);
    const unsigned odd = static_cast<unsigned>(found.scales[s + 1] + 32);
    block->scales_l[s / 2] = static_cast<std::uint8_t>((even & 15) | (odd & 15) << 4);
    high |= (even >> 4 | (odd >> 4) << 2) << 2 * s;
  }
  block->scales_h = static_cast<std::uint16_t>(high);
  for (std::size_t i = 0; i < kSuperBlock / 2; ++i) {
    const std::int8_t* levels = &found.q[i / 16 * kSubBlock + i % 16];
    block->qs[i] = static_cast<std::uint8_t>(IndexOf(levels[0]) | IndexOf(levels[16]) << 4);
  }
}

}  // namespace edgemoe::quant
