// SPDX-License-Identifier: Apache-2.0
#include "engine/quant/half.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

namespace edgemoe {
namespace {

// A 16-bit format by its definition: sign, exponent, mantissa.
struct Format {
  int exponent_bits;
  int mantissa_bits;

  double Value(std::uint32_t bits) const {  // of a finite number
    const int bias = (1 << (exponent_bits - 1)) - 1;
    const int mantissa = static_cast<int>(bits & ((1u << mantissa_bits) - 1));
    const int exponent = static_cast<int>(bits >> mantissa_bits & ((1u << exponent_bits) - 1));
    const double sign = bits & 0x8000u ? -1.0 : 1.0;
    if (exponent == 0) return sign * std::ldexp(mantissa, 1 - bias - mantissa_bits);
    return sign * std::ldexp((1 << mantissa_bits) + mantissa, exponent - bias - mantissa_bits);
  }
  std::uint32_t infinity() const { return ((1u << exponent_bits) - 1) << mantissa_bits; }
};

constexpr Format kHalf{5, 10};
constexpr Format kBFloat{8, 7};

template <class ToFloat>
void ExpectDecodesAll(const Format& format, ToFloat to_float) {
  for (std::uint32_t bits = 0; bits <= 0xffff; ++bits) {
    const float value = to_float(static_cast<std::uint16_t>(bits));
    const std::uint32_t magnitude = bits & 0x7fffu;
    EXPECT_EQ(std::signbit(value), (bits & 0x8000u) != 0) << bits;
    if (magnitude > format.infinity()) {
      EXPECT_TRUE(std::isnan(value)) << bits;
    } else if (magnitude == format.infinity()) {
      EXPECT_TRUE(std::isinf(value)) << bits;
    } else {
      EXPECT_EQ(static_cast<double>(value), format.Value(bits)) << bits;
    }
  }
}

// Every number of the format, the middle between it and the next (ties to even), and the floats
// beside the middle.
template <class FromFloat>
void ExpectEncodesAll(const Format& format, FromFloat from_float) {
  const float inf = std::numeric_limits<float>::infinity();
  for (const std::uint32_t sign : {0u, 0x8000u}) {
    const double direction = sign == 0 ? 1 : -1;
    for (std::uint32_t bits = 0; bits < format.infinity(); ++bits) {
      const double here = format.Value(bits);
      EXPECT_EQ(from_float(static_cast<float>(direction * here)), sign | bits);
      const double step = format.Value(bits | 1u) - format.Value(bits & ~1u);
      const auto middle = static_cast<float>(here + step / 2);
      const std::uint32_t even = (bits & 1u) == 0 ? bits : bits + 1;
      if (static_cast<double>(middle) != here + step / 2) continue;  // below float's own precision
      const auto signed_middle = static_cast<float>(direction) * middle;
      EXPECT_EQ(from_float(signed_middle), sign | even) << bits;
      EXPECT_EQ(from_float(std::nextafter(signed_middle, 0.0f)), sign | bits) << bits;
      const float above = std::nextafter(signed_middle, static_cast<float>(direction) * inf);
      EXPECT_EQ(from_float(above), sign | (bits + 1)) << bits;
    }
  }
}

template <class FromFloat>
void ExpectEncodesSpecials(const Format& format, FromFloat from_float) {
  const float inf = std::numeric_limits<float>::infinity();
  EXPECT_EQ(from_float(inf), format.infinity());
  EXPECT_EQ(from_float(-inf), 0x8000u | format.infinity());
  EXPECT_EQ(from_float(std::numeric_limits<float>::max()), format.infinity());
  EXPECT_EQ(from_float(-0.0f), 0x8000u);
  for (std::uint32_t bits : {0x7f800001u, 0x7fc00000u, 0x7fffffffu, 0xff800001u, 0xffffffffu}) {
    const std::uint16_t nan = from_float(std::bit_cast<float>(bits));
    EXPECT_GT(nan & 0x7fffu, format.infinity()) << bits;
    EXPECT_EQ(nan & 0x8000u, bits >> 16 & 0x8000u) << bits;
  }
}

TEST(HalfTest, DecodesEveryNumber) { ExpectDecodesAll(kHalf, HalfToFloat); }
TEST(HalfTest, EncodesEveryNumberAndRoundsTiesToEven) { ExpectEncodesAll(kHalf, FloatToHalf); }
TEST(HalfTest, EncodesSpecials) { ExpectEncodesSpecials(kHalf, FloatToHalf); }
TEST(BFloatTest, DecodesEveryNumber) { ExpectDecodesAll(kBFloat, BFloatToFloat); }
TEST(BFloatTest, EncodesEveryNumberAndRoundsTiesToEven) {
  ExpectEncodesAll(kBFloat, FloatToBFloat);
}
TEST(BFloatTest, EncodesSpecials) { ExpectEncodesSpecials(kBFloat, FloatToBFloat); }

}  // namespace
}  // namespace edgemoe
