// SPDX-License-Identifier: Apache-2.0
//
// IQ4_XS and the types with grids against Q8_K.
#include "engine/kernels/arm_neon/mat_mul_k.h"
#include "engine/kernels/arm_neon/mat_mul_q8.h"
#include "engine/kernels/arm_neon/mat_mul_tile.h"
#include "engine/kernels/kernel_functions.h"
#include "engine/quant/codebooks.h"
#include "engine/quant/grids.h"

namespace edgemoe::neon {
namespace {

// The sixteen nibbles of eight bytes, the lower of each first.
inline uint8x16_t Nibbles(uint8x8_t bytes) {
  const uint8x8x2_t zipped = vzip_u8(vand_u8(bytes, vdup_n_u8(15)), vshr_n_u8(bytes, 4));
  return vcombine_u8(zipped.val[0], zipped.val[1]);
}

inline uint8x16_t EachTwice(uint8x16_t eight) { return vzip1q_u8(eight, eight); }

inline int8x16_t OddScales(uint8x16_t scales) {
  return vreinterpretq_s8_u8(vorrq_u8(vshlq_n_u8(scales, 1), vdupq_n_u8(1)));
}

inline int8x16_t ScalesOfSixteens(const std::byte* scales) {
  return OddScales(Nibbles(vcreate_u8(LoadAs<std::uint64_t>(scales))));
}

inline int8x16_t ScalesOfThirtyTwos(const std::byte* scales) {
  return OddScales(EachTwice(Nibbles(vcreate_u8(LoadAs<std::uint32_t>(scales)))));
}

// Of the u32 that stands in each `stride` bytes of a sub-block of 32: the four bits on top.
inline int8x16_t ScalesOnTop(const std::byte* words, std::size_t stride) {
  std::uint64_t scales = 0;
  for (std::size_t s = 0; s < kSuperBlock / 32; ++s) {
    scales |= std::uint64_t{LoadAs<std::uint32_t>(words + s * stride) >> 28} << 8 * s;
  }
  const uint8x8_t eight = vcreate_u8(scales);
  return OddScales(EachTwice(vcombine_u8(eight, eight)));
}

// Two times seven signs as two bytes, each with an eighth that makes its number of ones even.
inline std::uint16_t CompleteSigns(std::uint32_t sevens) {
  const std::uint32_t signs = (sevens & 0x7f) | (sevens << 1 & 0x7f00);
  std::uint32_t odd = signs ^ signs >> 4;
  odd ^= odd >> 2;
  odd ^= odd >> 1;
  return static_cast<std::uint16_t>(signs | (odd & 0x0101) << 7);
}

// Sixteen magnitudes, negative where their bit is set.
inline int8x16_t WithSigns(uint8x16_t magnitudes, std::uint16_t signs) {
  const uint8x16_t bytes = vcombine_u8(vdup_n_u8(static_cast<std::uint8_t>(signs & 255)),
                                       vdup_n_u8(static_cast<std::uint8_t>(signs >> 8)));
  const uint8x16_t bit_of = vreinterpretq_u8_u64(vdupq_n_u64(0x8040201008040201u));
  const int8x16_t negative = vreinterpretq_s8_u8(vtstq_u8(bytes, bit_of));
  // -x is the complement of x, plus 1.
  return vsubq_s8(veorq_s8(vreinterpretq_s8_u8(magnitudes), negative), negative);
}

inline uint8x16_t JoinEights(const std::uint8_t (&a)[8], const std::uint8_t (&b)[8]) {
  return vcombine_u8(vld1_u8(a), vld1_u8(b));
}

// The entries of four that index(0) to index(3) name.
template <std::size_t kEntries, class Index>
inline uint8x16_t JoinFours(const Grid<kEntries, 4>& grid, const Index& index) {
  const std::uint64_t first = LoadAs<std::uint32_t>(grid.entries[index(0)]) |
                              std::uint64_t{LoadAs<std::uint32_t>(grid.entries[index(1)])} << 32;
  const std::uint64_t second = LoadAs<std::uint32_t>(grid.entries[index(2)]) |
                               std::uint64_t{LoadAs<std::uint32_t>(grid.entries[index(3)])} << 32;
  return vcombine_u8(vcreate_u8(first), vcreate_u8(second));
}

inline std::size_t ByteAt(const std::byte* from) { return LoadAs<std::uint8_t>(from); }

// Sixteen(block, j) gives elements 16 * j to 16 * j + 15.
template <class Type>
struct SixteenAtATime : Type {
  static constexpr std::size_t kScaleAt = 0;
  static constexpr bool kHasMins = false;
  static void Unpack(const std::byte* block, int half, int8x16_t (&quants)[8]) {
    EDGEMOE_UNROLL
    for (int i = 0; i < 8; ++i) {
      quants[i] = Type::Sixteen(block, static_cast<std::size_t>(8 * half + i));
    }
  }
};

struct IQ4_XS {
  static constexpr std::size_t kBlockBytes = sizeof(BlockIQ4_XS);
  static constexpr float kUnit = 1;

  static int8x16_t Scales(const std::byte* block) {
    const auto packed = LoadAs<std::uint32_t>(block + offsetof(BlockIQ4_XS, scales_l));
    const auto high = LoadAs<std::uint16_t>(block + offsetof(BlockIQ4_XS, scales_h));
    // Two bits of each scale at the bottom of a lane.
    const int16_t down[8] = {0, -2, -4, -6, -8, -10, -12, -14};
    const uint16x8_t pairs = vshlq_u16(vdupq_n_u16(high), vld1q_s16(down));
    const uint8x8_t upper = vshl_n_u8(vmovn_u16(vandq_u16(pairs, vdupq_n_u16(3))), 4);
    const uint8x8_t scales = vorr_u8(vget_low_u8(Nibbles(vcreate_u8(packed))), upper);
    return vsubq_s8(vreinterpretq_s8_u8(EachTwice(vcombine_u8(scales, scales))), vdupq_n_s8(32));
  }
  static int8x16_t Sixteen(const std::byte* block, std::size_t j) {
    const uint8x16_t pairs = LoadUnsigned(block + offsetof(BlockIQ4_XS, qs) + j / 2 * 16);
    const uint8x16_t indices = j % 2 == 0 ? vandq_u8(pairs, vdupq_n_u8(15)) : vshrq_n_u8(pairs, 4);
    return vqtbl1q_s8(vld1q_s8(kIq4NlValues), indices);
  }
};

struct IQ2_XXS {
  static constexpr std::size_t kBlockBytes = sizeof(BlockIQ2_XXS);
  static constexpr float kUnit = 0.125F;

  static int8x16_t Scales(const std::byte* block) {
    return ScalesOnTop(block + offsetof(BlockIQ2_XXS, qs) + 4, 8);
  }
  static int8x16_t Sixteen(const std::byte* block, std::size_t j) {
    const std::byte* sub_block = block + offsetof(BlockIQ2_XXS, qs) + j / 2 * 8;
    const std::byte* indices = sub_block + j % 2 * 2;
    const std::uint32_t sevens = LoadAs<std::uint32_t>(sub_block + 4) >> j % 2 * 14;
    return WithSigns(
        JoinEights(kIq2XxsGrid.entries[ByteAt(indices)], kIq2XxsGrid.entries[ByteAt(indices + 1)]),
        CompleteSigns(sevens));
  }
};

struct IQ2_XS {
  static constexpr std::size_t kBlockBytes = sizeof(BlockIQ2_XS);
  static constexpr float kUnit = 0.125F;

  static int8x16_t Scales(const std::byte* block) {
    return ScalesOfSixteens(block + offsetof(BlockIQ2_XS, scales));
  }
  static int8x16_t Sixteen(const std::byte* block, std::size_t j) {
    const auto pair = LoadAs<std::uint32_t>(block + offsetof(BlockIQ2_XS, qs) + 4 * j);
    return WithSigns(
        JoinEights(kIq2XsGrid.entries[pair & 511], kIq2XsGrid.entries[pair >> 16 & 511]),
        CompleteSigns((pair >> 9 & 0x7f) | (pair >> 25) << 7));
  }
};

struct IQ2_S {
  static constexpr std::size_t kBlockBytes = sizeof(BlockIQ2_S);
  static constexpr float kUnit = 0.125F;

  static int8x16_t Scales(const std::byte* block) {
    return ScalesOfSixteens(block + offsetof(BlockIQ2_S, scales));
  }
  static int8x16_t Sixteen(const std::byte* block, std::size_t j) {
    const std::byte* low = block + offsetof(BlockIQ2_S, qs) + 2 * j;
    const std::size_t high = ByteAt(block + offsetof(BlockIQ2_S, qh) + j / 2) >> j % 2 * 4;
    return WithSigns(JoinEights(kIq2SGrid.entries[ByteAt(low) | (high & 3) << 8],
                                kIq2SGrid.entries[ByteAt(low + 1) | (high >> 2 & 3) << 8]),
                     LoadAs<std::uint16_t>(block + offsetof(BlockIQ2_S, signs) + 2 * j));
  }
};

struct IQ3_XXS {
  static constexpr std::size_t kBlockBytes = sizeof(BlockIQ3_XXS);
  static constexpr float kUnit = 0.25F;

  static int8x16_t Scales(const std::byte* block) {
    return ScalesOnTop(block + offsetof(BlockIQ3_XXS, signs_scales), 4);
  }
  static int8x16_t Sixteen(const std::byte* block, std::size_t j) {
    const std::byte* qs = block + offsetof(BlockIQ3_XXS, qs) + 4 * j;
    const auto word =
        LoadAs<std::uint32_t>(block + offsetof(BlockIQ3_XXS, signs_scales) + j / 2 * 4);
    return WithSigns(JoinFours(kIq3XxsGrid, [qs](std::size_t k) { return ByteAt(qs + k); }),
                     CompleteSigns(word >> j % 2 * 14));
  }
};

struct IQ3_S {
  static constexpr std::size_t kBlockBytes = sizeof(BlockIQ3_S);
  static constexpr float kUnit = 1;

  static int8x16_t Scales(const std::byte* block) {
    return ScalesOfThirtyTwos(block + offsetof(BlockIQ3_S, scales));
  }
  static int8x16_t Sixteen(const std::byte* block, std::size_t j) {
    const std::byte* qs = block + offsetof(BlockIQ3_S, qs) + 4 * j;
    const std::size_t ninths = ByteAt(block + offsetof(BlockIQ3_S, qh) + j / 2) >> j % 2 * 4;
    const auto index = [qs, ninths](std::size_t k) {
      return ByteAt(qs + k) | (ninths >> k & 1) << 8;
    };
    return WithSigns(JoinFours(kIq3SGrid, index),
                     LoadAs<std::uint16_t>(block + offsetof(BlockIQ3_S, signs) + 2 * j));
  }
};

template <class Type>
void Multiply(const MatMulArgs& args) {
  MultiplyTiled<SixteensFormat<SixteenAtATime<Type>>>(args);
}

}  // namespace

void MatMulIQ4_XS(const MatMulArgs& args) { Multiply<IQ4_XS>(args); }
void MatMulIQ3_S(const MatMulArgs& args) { Multiply<IQ3_S>(args); }
void MatMulIQ3_XXS(const MatMulArgs& args) { Multiply<IQ3_XXS>(args); }
void MatMulIQ2_S(const MatMulArgs& args) { Multiply<IQ2_S>(args); }
void MatMulIQ2_XS(const MatMulArgs& args) { Multiply<IQ2_XS>(args); }
void MatMulIQ2_XXS(const MatMulArgs& args) { Multiply<IQ2_XXS>(args); }

}  // namespace edgemoe::neon
