// SPDX-License-Identifier: Apache-2.0
//
// The block layouts of GGUF's quantised types, byte for byte, and those of quantised activations.
// `half` fields are IEEE binary16 bits. Bits per weight stand behind each name.
#pragma once

#include <cstddef>
#include <cstdint>

namespace edgemoe {

using HalfBits = std::uint16_t;

constexpr std::size_t kSmallBlock = 32;   // elements of a Q4_0, Q8_0 block
constexpr std::size_t kSuperBlock = 256;  // elements of a K-quant block

// 8.5 bpw. x[i] = d * qs[i].
struct BlockQ8_0 {
  HalfBits d;
  std::int8_t qs[kSmallBlock];
};
static_assert(sizeof(BlockQ8_0) == 34);

// 4.5 bpw. x[i] = d * (q - 8); element i is the low nibble of qs[i], element i + 16 the high one.
struct BlockQ4_0 {
  HalfBits d;
  std::uint8_t qs[kSmallBlock / 2];
};
static_assert(sizeof(BlockQ4_0) == 18);

// 4.5 bpw. Eight sub-blocks of 32: x = d * scale * q - dmin * min, scale and min 6 bits each,
// packed in `scales` (bytes 0-3: low 6 bits of scales 0-3, bytes 4-7: of mins 0-3, bytes 8-11: low
// nibbles of scale and min 4-7, whose upper two bits are the top bits of bytes 0-7). Nibbles: qs[32
// * j + i] low = element 64 * j + i, high = + 32.
struct BlockQ4_K {
  HalfBits d;
  HalfBits dmin;
  std::uint8_t scales[12];
  std::uint8_t qs[kSuperBlock / 2];
};
static_assert(sizeof(BlockQ4_K) == 144);

// 5.5 bpw. As Q4_K with a fifth bit: bit (2 * j) of qh[i] for element 64 * j + i, bit (2 * j + 1)
// for + 32.
struct BlockQ5_K {
  HalfBits d;
  HalfBits dmin;
  std::uint8_t scales[12];
  std::uint8_t qh[kSuperBlock / 8];
  std::uint8_t qs[kSuperBlock / 2];
};
static_assert(sizeof(BlockQ5_K) == 176);

// 6.5625 bpw. Sixteen sub-blocks of 16: x = d * scales[i / 16] * (q - 32); low nibbles in ql, high
// two bits in qh.
struct BlockQ6_K {
  std::uint8_t ql[kSuperBlock / 2];
  std::uint8_t qh[kSuperBlock / 4];
  std::int8_t scales[kSuperBlock / 16];
  HalfBits d;
};
static_assert(sizeof(BlockQ6_K) == 210);

// Activations against K-quants; never on disk. x[i] = d * qs[i]; bsums[j] = sum of qs[16 * j .. 16
// * j + 15].
struct BlockQ8_K {
  float d;
  std::int8_t qs[kSuperBlock];
  std::int16_t bsums[kSuperBlock / 16];
};
static_assert(sizeof(BlockQ8_K) == 292);

}  // namespace edgemoe
