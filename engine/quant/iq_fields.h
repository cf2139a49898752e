// SPDX-License-Identifier: Apache-2.0
//
// The elements of IQ4_XS and of the types with grids as integers, one at a time, for reference
// code: x[i] = d * kUnitOf<Block> * ScaleOf(block, i) * LevelOf(block, i). No intrinsics; files of
// other instruction sets than the default one do not include it.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "engine/quant/block_formats.h"
#include "engine/quant/codebooks.h"
#include "engine/quant/grids.h"

namespace edgemoe::quant {

template <class Block>
inline constexpr float kUnitOf = 1;
template <>
inline constexpr float kUnitOf<BlockIQ2_XXS> = 0.125F;
template <>
inline constexpr float kUnitOf<BlockIQ2_XS> = 0.125F;
template <>
inline constexpr float kUnitOf<BlockIQ2_S> = 0.125F;
template <>
inline constexpr float kUnitOf<BlockIQ3_XXS> = 0.25F;

inline int NibbleAt(const std::uint8_t* nibbles, std::size_t k) {
  return nibbles[k / 2] >> 4 * (k % 2) & 15;
}

// The u32 of four times seven signs, and the scale on top.
inline std::uint32_t SignsAndScale(const std::uint8_t bytes[4]) {
  return bytes[0] | std::uint32_t{bytes[1]} << 8 | std::uint32_t{bytes[2]} << 16 |
         std::uint32_t{bytes[3]} << 24;
}

// Sign i of eight, the last of which is 1 if the others have an odd number of ones.
inline bool SignOf(std::uint32_t seven, std::size_t i) {
  return i < 7 ? (seven >> i & 1) != 0 : std::popcount(seven & 127) % 2 != 0;
}

inline int Signed(std::uint8_t magnitude, bool negative) {
  return negative ? -int{magnitude} : magnitude;
}

inline int ScaleOf(const BlockIQ4_XS& block, std::size_t i) {
  const std::size_t s = i / 32;
  return (NibbleAt(block.scales_l, s) | (block.scales_h >> 2 * s & 3) << 4) - 32;
}
inline int LevelOf(const BlockIQ4_XS& block, std::size_t i) {
  return kIq4NlValues[block.qs[i / 32 * 16 + i % 16] >> 4 * (i % 32 / 16) & 15];
}

inline int ScaleOf(const BlockIQ2_XXS& block, std::size_t i) {
  return static_cast<int>(SignsAndScale(block.qs + i / 32 * 8 + 4) >> 28) * 2 + 1;
}
inline int LevelOf(const BlockIQ2_XXS& block, std::size_t i) {
  const std::uint8_t* sub_block = block.qs + i / 32 * 8;
  const std::size_t group = i % 32 / 8;
  const std::uint32_t signs = SignsAndScale(sub_block + 4) >> 7 * group;
  return Signed(kIq2XxsGrid.entries[sub_block[group]][i % 8], SignOf(signs, i % 8));
}

inline int ScaleOf(const BlockIQ2_XS& block, std::size_t i) {
  return NibbleAt(block.scales, i / 16) * 2 + 1;
}
inline int LevelOf(const BlockIQ2_XS& block, std::size_t i) {
  const std::uint16_t q = block.qs[i / 8];
  return Signed(kIq2XsGrid.entries[q & 511][i % 8], SignOf(q >> 9, i % 8));
}

inline int ScaleOf(const BlockIQ2_S& block, std::size_t i) {
  return NibbleAt(block.scales, i / 16) * 2 + 1;
}
inline int LevelOf(const BlockIQ2_S& block, std::size_t i) {
  const std::size_t k = i / 8;
  const std::size_t index = block.qs[k] | (block.qh[k / 4] >> 2 * (k % 4) & 3u) << 8;
  return Signed(kIq2SGrid.entries[index][i % 8], (block.signs[k] >> i % 8 & 1) != 0);
}

inline int ScaleOf(const BlockIQ3_XXS& block, std::size_t i) {
  return static_cast<int>(SignsAndScale(block.signs_scales + i / 32 * 4) >> 28) * 2 + 1;
}
inline int LevelOf(const BlockIQ3_XXS& block, std::size_t i) {
  const std::uint32_t signs = SignsAndScale(block.signs_scales + i / 32 * 4) >> 7 * (i % 32 / 8);
  return Signed(kIq3XxsGrid.entries[block.qs[i / 4]][i % 4], SignOf(signs, i % 8));
}

inline int ScaleOf(const BlockIQ3_S& block, std::size_t i) {
  return NibbleAt(block.scales, i / 32) * 2 + 1;
}
inline int LevelOf(const BlockIQ3_S& block, std::size_t i) {
  const std::size_t k = i / 4;
  const std::size_t index = block.qs[k] | (block.qh[k / 8] >> k % 8 & 1u) << 8;
  return Signed(kIq3SGrid.entries[index][i % 4], (block.signs[i / 8] >> i % 8 & 1) != 0);
}

}  // namespace edgemoe::quant
