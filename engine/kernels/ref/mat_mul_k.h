// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/quant/block_formats.h"
#include "engine/quant/half.h"

namespace edgemoe::ref {

// Scale and minimum of sub-block `j` of Q4_K and Q5_K.
struct ScaleAndMin {
  int scale;
  int min;
};
inline ScaleAndMin UnpackScale(const std::uint8_t* scales, std::size_t j) {
  if (j < 4) return {scales[j] & 63, scales[j + 4] & 63};
  return {(scales[j + 4] & 15) | (scales[j - 4] >> 6) << 4, (scales[j + 4] >> 4) | (scales[j] >> 6)
                                                                                       << 4};
}

// Element `i` of the two bits that Q2_K and Q3_K keep in `qs`.
inline int TwoBits(const std::uint8_t* qs, std::size_t i) {
  return (qs[i / 128 * 32 + i % 32] >> (2 * (i / 32 % 4))) & 3;
}

// A row of Q4_K or Q5_K; quant(block, i) gives element i without its scale.
template <class Block, class Quant>
float DotWithMins(const std::byte* weights, const std::byte* x, std::size_t columns, Quant quant) {
  constexpr std::size_t kSubBlock = 32;
  const auto* w = reinterpret_cast<const Block*>(weights);
  const auto* a = reinterpret_cast<const BlockQ8_K*>(x);
  float sum = 0;
  for (std::size_t block = 0; block < columns / kSuperBlock; ++block) {
    int dot = 0;
    int mins = 0;
    for (std::size_t i = 0; i < kSuperBlock; ++i) {
      const ScaleAndMin sub = UnpackScale(w[block].scales, i / kSubBlock);
      dot += sub.scale * quant(w[block], i) * a[block].qs[i];
      mins += sub.min * a[block].qs[i];
    }
    sum += a[block].d * (HalfToFloat(w[block].d) * static_cast<float>(dot) -
                         HalfToFloat(w[block].dmin) * static_cast<float>(mins));
  }
  return sum;
}

// A row of Q3_K or Q6_K; scale(block, s) is the signed scale of sub-block s, quant(block, i) the
// signed element i without it.
template <class Block, class Scale, class Quant>
float DotCentred(const std::byte* weights, const std::byte* x, std::size_t columns, Scale scale,
                 Quant quant) {
  const auto* w = reinterpret_cast<const Block*>(weights);
  const auto* a = reinterpret_cast<const BlockQ8_K*>(x);
  float sum = 0;
  for (std::size_t block = 0; block < columns / kSuperBlock; ++block) {
    int dot = 0;
    for (std::size_t i = 0; i < kSuperBlock; ++i) {
      dot += scale(w[block], i / 16) * quant(w[block], i) * a[block].qs[i];
    }
    sum += static_cast<float>(dot) * (HalfToFloat(w[block].d) * a[block].d);
  }
  return sum;
}

}  // namespace edgemoe::ref
