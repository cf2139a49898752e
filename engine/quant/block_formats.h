// SPDX-License-Identifier: Apache-2.0
//
// The block layouts of GGUF's quantised types, byte for byte, and those of quantised activations.
// `half` fields are IEEE binary16 bits. Bits per weight stand behind each name.
#pragma once

#include <cstddef>
#include <cstdint>

namespace edgemoe {

using HalfBits = std::uint16_t;

constexpr std::size_t kSmallBlock = 32;   // elements of a block of the older types
constexpr std::size_t kSuperBlock = 256;  // elements of a block of the K-quants and IQ types

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

// 5 bpw. x[i] = d * q + m; nibbles as in Q4_0.
struct BlockQ4_1 {
  HalfBits d;
  HalfBits m;
  std::uint8_t qs[kSmallBlock / 2];
};
static_assert(sizeof(BlockQ4_1) == 20);

// 5.5 bpw. x[i] = d * (q - 16); low nibbles as in Q4_0, the fifth bit of element i is bit i % 8 of
// qh[i / 8].
struct BlockQ5_0 {
  HalfBits d;
  std::uint8_t qh[kSmallBlock / 8];
  std::uint8_t qs[kSmallBlock / 2];
};
static_assert(sizeof(BlockQ5_0) == 22);

// 6 bpw. x[i] = d * q + m; bits as in Q5_0.
struct BlockQ5_1 {
  HalfBits d;
  HalfBits m;
  std::uint8_t qh[kSmallBlock / 8];
  std::uint8_t qs[kSmallBlock / 2];
};
static_assert(sizeof(BlockQ5_1) == 24);

// 4.5 bpw. x[i] = d * kIq4NlValues[q] (codebooks.h); nibbles as in Q4_0.
struct BlockIQ4_NL {
  HalfBits d;
  std::uint8_t qs[kSmallBlock / 2];
};
static_assert(sizeof(BlockIQ4_NL) == 18);

// 4.25 bpw. x[i] = 2^(e - 128) * kMxfp4Values[q] (codebooks.h: twice the format's E2M1 values,
// hence 128 and not 127); nibbles as in Q4_0. Every e is a number: 2^-128 and 2^-127 are subnormal
// floats.
struct BlockMXFP4 {
  std::uint8_t e;
  std::uint8_t qs[kSmallBlock / 2];
};
static_assert(sizeof(BlockMXFP4) == 17);

// 2.625 bpw. Sixteen sub-blocks of 16: x = d * scale * q - dmin * min; scale is the low nibble of
// scales[i / 16], min the high one. Element 128j + 32k + i: bits 2k and 2k + 1 of qs[32j + i].
struct BlockQ2_K {
  std::uint8_t scales[kSuperBlock / 16];
  std::uint8_t qs[kSuperBlock / 4];
  HalfBits d;
  HalfBits dmin;
};
static_assert(sizeof(BlockQ2_K) == 84);

// 3.4375 bpw. Sixteen sub-blocks of 16: x = d * (scale - 32) * (q - 4). Low two bits of q as in
// Q2_K; the third of element 32 * k + i is bit k of hmask[i]. Scales have 6 bits: the low nibble of
// scale s is the low (s < 8) or high nibble of scales[s % 8], its upper two are bits 2 * (s / 4)
// and the next of scales[8 + s % 4].
struct BlockQ3_K {
  std::uint8_t hmask[kSuperBlock / 8];
  std::uint8_t qs[kSuperBlock / 4];
  std::uint8_t scales[12];
  HalfBits d;
};
static_assert(sizeof(BlockQ3_K) == 110);

// 4.5 bpw. Eight sub-blocks of 32: x = d * scale * q - dmin * min, scale and min 6 bits each,
// packed in `scales` (bytes 0-3: low 6 bits of scales 0-3, bytes 4-7: of mins 0-3, bytes 8-11: low
// nibbles of scale and min 4-7, whose upper two bits are the top bits of bytes 0-7). The low nibble
// of qs[32j + i] is element 64j + i, the high one element 64j + i + 32.
struct BlockQ4_K {
  HalfBits d;
  HalfBits dmin;
  std::uint8_t scales[12];
  std::uint8_t qs[kSuperBlock / 2];
};
static_assert(sizeof(BlockQ4_K) == 144);

// 5.5 bpw. As Q4_K with a fifth bit: bit 2j of qh[i] for element 64j + i, bit 2j + 1 for element
// 64j + i + 32.
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

// 4.25 bpw. Eight sub-blocks of 32: x = d * (scale - 32) * kIq4NlValues[q]; nibbles as in Q4_0
// within each 16 bytes. Scales have 6 bits: scale s has nibble s % 2 of scales_l[s / 2] and above
// it bits 2 * s and 2 * s + 1 of scales_h.
struct BlockIQ4_XS {
  HalfBits d;
  std::uint16_t scales_h;
  std::uint8_t scales_l[kSuperBlock / 64];
  std::uint8_t qs[kSuperBlock / 2];
};
static_assert(sizeof(BlockIQ4_XS) == 136);

// The five types below take the magnitudes of eight (IQ2) or four (IQ3) elements from an entry of
// their grid (grids.h): x = d * unit * (2 * scale + 1) * magnitude * sign, scale of 4 bits. A set
// bit i % 8 of the sign byte of elements 8k to 8k + 7 makes element i negative. Where a sign byte
// has seven bits on disk, the eighth is 1 if these have an odd number of ones. Numbers of several
// bytes are little-endian.

// 2.0625 bpw, unit 1/8. Sub-blocks of 32 take eight bytes of qs: four indices, then a u32 of four
// times 7 bits of signs and the scale on top.
struct BlockIQ2_XXS {
  HalfBits d;
  std::uint8_t qs[kSuperBlock / 4];
};
static_assert(sizeof(BlockIQ2_XXS) == 66);

// 2.3125 bpw, unit 1/8. The lower 9 bits of qs[i / 8] are the index, the upper 7 the signs. Scale s
// of sub-block s of 16 is nibble s % 2 of scales[s / 2].
struct BlockIQ2_XS {
  HalfBits d;
  std::uint16_t qs[kSuperBlock / 8];
  std::uint8_t scales[kSuperBlock / 32];
};
static_assert(sizeof(BlockIQ2_XS) == 74);

// 2.5625 bpw, unit 1/8. Index k has its lower 8 bits in qs[k], the others are bits 2 * (k % 4) and
// the next of qh[k / 4]. Scales as in IQ2_XS.
struct BlockIQ2_S {
  HalfBits d;
  std::uint8_t qs[kSuperBlock / 8];
  std::uint8_t signs[kSuperBlock / 8];
  std::uint8_t qh[kSuperBlock / 32];
  std::uint8_t scales[kSuperBlock / 32];
};
static_assert(sizeof(BlockIQ2_S) == 82);

// 3.0625 bpw, unit 1/4. qs[k] is index k; signs_scales holds the u32 of each sub-block of 32, as in
// IQ2_XXS.
struct BlockIQ3_XXS {
  HalfBits d;
  std::uint8_t qs[kSuperBlock / 4];
  std::uint8_t signs_scales[kSuperBlock / 8];
};
static_assert(sizeof(BlockIQ3_XXS) == 98);

// 3.4375 bpw, unit 1. Index k has its lower 8 bits in qs[k], the ninth is bit k % 8 of qh[k / 8].
// Scale s of sub-block s of 32 is nibble s % 2 of scales[s / 2].
struct BlockIQ3_S {
  HalfBits d;
  std::uint8_t qs[kSuperBlock / 4];
  std::uint8_t qh[kSuperBlock / 32];
  std::uint8_t signs[kSuperBlock / 8];
  std::uint8_t scales[kSuperBlock / 64];
};
static_assert(sizeof(BlockIQ3_S) == 110);

// Activations against types in blocks of 256; never on disk. x[i] = d * qs[i]; bsums[j] = sum of
// qs[16j] to qs[16j + 15].
struct BlockQ8_K {
  float d;
  std::int8_t qs[kSuperBlock];
  std::int16_t bsums[kSuperBlock / 16];
};
static_assert(sizeof(BlockQ8_K) == 292);

}  // namespace edgemoe
