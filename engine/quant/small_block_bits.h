// SPDX-License-Identifier: Apache-2.0
//
// How the blocks of 32 store their 4- and 5-bit numbers. Private to engine/quant.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "engine/quant/block_formats.h"

namespace edgemoe::quant {

inline void PackNibbles(const std::uint8_t q[kSmallBlock], std::uint8_t qs[kSmallBlock / 2]) {
  for (std::size_t i = 0; i < kSmallBlock / 2; ++i)
    qs[i] = static_cast<std::uint8_t>((q[i] & 15) | (q[i + kSmallBlock / 2] & 15) << 4);
}

inline void UnpackNibbles(const std::uint8_t qs[kSmallBlock / 2], std::uint8_t q[kSmallBlock]) {
  for (std::size_t i = 0; i < kSmallBlock / 2; ++i) {
    q[i] = qs[i] & 15;
    q[i + kSmallBlock / 2] = qs[i] >> 4;
  }
}

inline void PackFifthBits(const std::uint8_t q[kSmallBlock], std::uint8_t qh[kSmallBlock / 8]) {
  std::fill_n(qh, kSmallBlock / 8, std::uint8_t{0});
  for (std::size_t i = 0; i < kSmallBlock; ++i)
    qh[i / 8] = static_cast<std::uint8_t>(qh[i / 8] | (q[i] >> 4 & 1) << i % 8);
}

// Adds them to what UnpackNibbles gave.
inline void UnpackFifthBits(const std::uint8_t qh[kSmallBlock / 8], std::uint8_t q[kSmallBlock]) {
  for (std::size_t i = 0; i < kSmallBlock; ++i)
    q[i] = static_cast<std::uint8_t>(q[i] | (qh[i / 8] >> i % 8 & 1) << 4);
}

}  // namespace edgemoe::quant
