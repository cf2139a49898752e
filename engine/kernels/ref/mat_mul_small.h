// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/quant/block_formats.h"
#include "engine/quant/half.h"

namespace edgemoe::ref {

// Element `i` of the formats that keep nibbles as Q4_0 does, and its fifth bit where there is one.
inline int Nibble(const std::uint8_t* qs, std::size_t i) {
  constexpr std::size_t kHalf = kSmallBlock / 2;
  return i < kHalf ? qs[i] & 15 : qs[i - kHalf] >> 4;
}
inline int FifthBit(const std::uint8_t* qh, std::size_t i) { return (qh[i / 8] >> (i % 8)) & 1; }

// A row of blocks of 32 against Q8_0; quant(block, i) is element i without the scale, scale(block)
// the scale.
template <class Block, class Quant, class Scale>
float DotSmallBlocks(const std::byte* weights, const std::byte* x, std::size_t columns, Quant quant,
                     Scale scale) {
  const auto* w = reinterpret_cast<const Block*>(weights);
  const auto* a = reinterpret_cast<const BlockQ8_0*>(x);
  float sum = 0;
  for (std::size_t block = 0; block < columns / kSmallBlock; ++block) {
    int dot = 0;
    for (std::size_t i = 0; i < kSmallBlock; ++i) dot += quant(w[block], i) * a[block].qs[i];
    sum += static_cast<float>(dot) * (scale(w[block]) * HalfToFloat(a[block].d));
  }
  return sum;
}

template <class Block, class Quant>
float DotSmallBlocks(const std::byte* weights, const std::byte* x, std::size_t columns,
                     Quant quant) {
  return DotSmallBlocks<Block>(weights, x, columns, quant,
                               [](const Block& block) { return HalfToFloat(block.d); });
}

// A row of blocks of 32 with a minimum `m` against Q8_0.
template <class Block, class Quant>
float DotSmallBlocksWithMins(const std::byte* weights, const std::byte* x, std::size_t columns,
                             Quant quant) {
  const auto* w = reinterpret_cast<const Block*>(weights);
  const auto* a = reinterpret_cast<const BlockQ8_0*>(x);
  float sum = 0;
  for (std::size_t block = 0; block < columns / kSmallBlock; ++block) {
    int dot = 0;
    int total = 0;
    for (std::size_t i = 0; i < kSmallBlock; ++i) {
      dot += quant(w[block], i) * a[block].qs[i];
      total += a[block].qs[i];
    }
    sum += HalfToFloat(a[block].d) * (HalfToFloat(w[block].d) * static_cast<float>(dot) +
                                      HalfToFloat(w[block].m) * static_cast<float>(total));
  }
  return sum;
}

}  // namespace edgemoe::ref
