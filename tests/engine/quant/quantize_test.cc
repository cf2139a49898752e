// SPDX-License-Identifier: Apache-2.0
#include "engine/quant/quantize.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

#include "engine/base/random.h"
#include "engine/quant/block_formats.h"

namespace edgemoe {
namespace {

constexpr std::array kEncodable = {
    TensorType::kF32,    TensorType::kF16,   TensorType::kBF16, TensorType::kQ8_0,
    TensorType::kQ4_0,   TensorType::kQ4_1,  TensorType::kQ5_0, TensorType::kQ5_1,
    TensorType::kIQ4_NL, TensorType::kMXFP4, TensorType::kQ2_K, TensorType::kQ3_K,
    TensorType::kQ4_K,   TensorType::kQ5_K,  TensorType::kQ6_K, TensorType::kIQ4_XS};

constexpr std::array kDecodeOnly = {TensorType::kIQ3_S, TensorType::kIQ3_XXS, TensorType::kIQ2_S,
                                    TensorType::kIQ2_XS, TensorType::kIQ2_XXS};

std::string Name(TensorType type) { return std::string(TraitsOf(type).name); }

std::vector<std::byte> Encode(TensorType type, const std::vector<float>& x) {
  std::vector<std::byte> packed(*RowBytes(type, x.size()));
  QuantizeRow(type, x.data(), x.size(), packed.data());
  return packed;
}

std::vector<float> Decode(TensorType type, const std::vector<std::byte>& packed, std::size_t n) {
  std::vector<float> x(n);
  DequantizeRow(type, packed.data(), n, x.data());
  return x;
}

std::vector<float> RoundTrip(TensorType type, const std::vector<float>& x) {
  return Decode(type, Encode(type, x), x.size());
}

std::vector<float> Normals(std::size_t n, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> x(n);
  for (float& value : x)
    value = static_cast<float>(std::sqrt(-2 * std::log(1 - random.NextUnit())) *
                               std::cos(6.283185307179586 * random.NextUnit()));
  return x;
}

double RelativeError(const std::vector<float>& x, const std::vector<float>& y) {
  double error = 0, power = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    error += std::pow(x[i] - y[i], 2);
    power += std::pow(x[i], 2);
  }
  return std::sqrt(error / power);
}

// The chunks of golden.bin, in order. make_golden.py, beside it, made it with the gguf Python
// package: python3 make_golden.py golden.bin
class Golden {
 public:
  Golden() : file_(EDGEMOE_SOURCE_DIR "/tests/engine/quant/golden.bin", std::ios::binary) {}

  std::vector<std::byte> NextBytes() {
    std::uint32_t length = 0;
    file_.read(reinterpret_cast<char*>(&length), sizeof(length));
    if (!file_ || length > 65536) return {};
    std::vector<std::byte> bytes(length);
    file_.read(reinterpret_cast<char*>(bytes.data()), length);
    return bytes;
  }
  std::vector<float> NextFloats() {
    const std::vector<std::byte> bytes = NextBytes();
    std::vector<float> floats(bytes.size() / sizeof(float));
    if (!floats.empty()) std::memcpy(floats.data(), bytes.data(), bytes.size());
    return floats;
  }

 private:
  std::ifstream file_;
};

TEST(QuantizeTest, EqualToTheGgufPackageToTheBit) {
  Golden golden;
  const std::vector<float> x = golden.NextFloats();
  ASSERT_EQ(x.size(), 1024u);
  for (const TensorType type :
       {TensorType::kF16, TensorType::kBF16, TensorType::kQ8_0, TensorType::kQ4_0}) {
    const std::vector<std::byte> expected = golden.NextBytes();
    ASSERT_EQ(expected.size(), *RowBytes(type, x.size())) << Name(type);
    EXPECT_EQ(Encode(type, x), expected) << Name(type);
  }
  for (const TensorType type :
       {TensorType::kF16,     TensorType::kBF16,  TensorType::kQ8_0,   TensorType::kQ4_0,
        TensorType::kQ4_K,    TensorType::kQ5_K,  TensorType::kQ6_K,   TensorType::kQ2_K,
        TensorType::kQ3_K,    TensorType::kQ4_1,  TensorType::kQ5_0,   TensorType::kQ5_1,
        TensorType::kIQ4_NL,  TensorType::kMXFP4, TensorType::kIQ4_XS, TensorType::kIQ3_S,
        TensorType::kIQ3_XXS, TensorType::kIQ2_S, TensorType::kIQ2_XS, TensorType::kIQ2_XXS}) {
    const std::vector<std::byte> packed = golden.NextBytes();
    const std::vector<float> expected = golden.NextFloats();
    ASSERT_GE(expected.size(), 1000u) << Name(type);
    ASSERT_EQ(packed.size(), *RowBytes(type, expected.size())) << Name(type);
    const std::vector<float> found = Decode(type, packed, expected.size());
    EXPECT_EQ(std::memcmp(found.data(), expected.data(), 4 * expected.size()), 0) << Name(type);
  }
  EXPECT_TRUE(golden.NextBytes().empty()) << "chunks that no check reads";
}

// Relative RMS error of a uniform quantiser on normal values, with room for scales in fewer bits.
TEST(QuantizeTest, RoundTripErrorIsThatOfTheBits) {
  const std::vector<float> x = Normals(8192, 7);
  const std::array<std::pair<TensorType, double>, 16> limits = {{{TensorType::kIQ4_XS, 0.079},
                                                                 {TensorType::kQ5_1, 0.036},
                                                                 {TensorType::kQ5_0, 0.041},
                                                                 {TensorType::kQ4_1, 0.073},
                                                                 {TensorType::kIQ4_NL, 0.081},
                                                                 {TensorType::kMXFP4, 0.12},
                                                                 {TensorType::kQ3_K, 0.16},
                                                                 {TensorType::kQ2_K, 0.28},
                                                                 {TensorType::kF32, 0},
                                                                 {TensorType::kF16, 3e-4},
                                                                 {TensorType::kBF16, 2.4e-3},
                                                                 {TensorType::kQ8_0, 7e-3},
                                                                 {TensorType::kQ6_K, 0.020},
                                                                 {TensorType::kQ5_K, 0.040},
                                                                 {TensorType::kQ4_K, 0.078},
                                                                 {TensorType::kQ4_0, 0.095}}};
  for (const auto& [type, limit] : limits)
    EXPECT_LE(RelativeError(x, RoundTrip(type, x)), limit) << Name(type);
}

// What the K-quants' searches must beat: scale and minimum of each 32 from its extremes, exact.
std::vector<float> RoundToExtremes(const std::vector<float>& x, int q_max) {
  std::vector<float> y(x.size());
  for (std::size_t at = 0; at < x.size(); at += 32) {
    const auto [low, high] = std::minmax_element(x.begin() + static_cast<std::ptrdiff_t>(at),
                                                 x.begin() + static_cast<std::ptrdiff_t>(at + 32));
    const float scale = (*high - *low) / static_cast<float>(q_max);
    for (std::size_t i = at; i < at + 32; ++i)
      y[i] = *low + scale * std::round((x[i] - *low) / scale);
  }
  return y;
}

TEST(QuantizeTest, SearchBeatsExtremesEvenWithExactScales) {
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    const std::vector<float> x = Normals(4096, seed);
    EXPECT_LT(RelativeError(x, RoundTrip(TensorType::kQ4_K, x)),
              RelativeError(x, RoundToExtremes(x, 15)));
    EXPECT_LT(RelativeError(x, RoundTrip(TensorType::kQ5_K, x)),
              RelativeError(x, RoundToExtremes(x, 31)));
  }
}

TEST(QuantizeTest, ConstantAndZeroBlocksSurvive) {
  for (const TensorType type : kEncodable) {
    EXPECT_EQ(RoundTrip(type, std::vector<float>(256, 0.0f)), std::vector<float>(256, 0.0f))
        << Name(type);
    for (const float constant : {1.0f, -1.0f, 0.003f, -1000.0f}) {
      const std::vector<float> x(256, constant);
      const double limit = type == TensorType::kMXFP4 ? 0.2 : 0.01;  // its scales are powers of 2
      EXPECT_LE(RelativeError(x, RoundTrip(type, x)), limit) << Name(type) << ' ' << constant;
    }
  }
}

TEST(QuantizeTest, BlocksOfOneSignAndVeryDifferentSizes) {
  std::vector<float> x = Normals(1024, 11);
  for (std::size_t i = 0; i < 256; ++i) x[i] = std::fabs(x[i]);
  for (std::size_t i = 256; i < 512; ++i) x[i] = -std::fabs(x[i]);
  for (std::size_t i = 512; i < 1024; ++i) x[i] *= std::exp2(static_cast<float>(i % 7) - 3);
  for (const TensorType type : kEncodable) {
    const double limit = type == TensorType::kQ2_K ? 0.29 : type == TensorType::kQ3_K ? 0.17 : 0.14;
    EXPECT_LE(RelativeError(x, RoundTrip(type, x)), limit) << Name(type);
  }
}

TEST(QuantizeTest, WhatIsNotFiniteGivesFiniteBlocks) {
  const float inf = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float largest = std::numeric_limits<float>::max();
  const float smallest = std::numeric_limits<float>::denorm_min();
  const std::vector<std::vector<float>> specials = {{nan},
                                                    {inf},
                                                    {-inf},
                                                    {nan, 1},
                                                    {inf, 1},
                                                    {largest},
                                                    {-largest, 1},
                                                    {smallest},
                                                    {-smallest, 0},
                                                    {1e-38f, -1e-38f},
                                                    {inf, -inf, nan, largest, smallest, 1, 0}};
  for (const TensorType type : kEncodable) {
    if (TraitsOf(type).block_elements == 1) continue;  // plain floats keep what they are given
    for (std::size_t which = 0; which < specials.size(); ++which) {
      std::vector<float> x(512);
      for (std::size_t i = 0; i < x.size(); ++i) x[i] = specials[which][i % specials[which].size()];
      for (const float value : RoundTrip(type, x))
        ASSERT_TRUE(std::isfinite(value)) << Name(type) << ", special " << which;
    }
  }
}

TEST(QuantizeTest, NanInOneBlockLeavesItsNeighboursAlone) {
  const std::vector<float> clean = Normals(768, 5);
  std::vector<float> spoiled = clean;
  spoiled[300] = std::numeric_limits<float>::quiet_NaN();  // in the second of three super-blocks
  for (const TensorType type : kEncodable) {
    const std::vector<float> expected = RoundTrip(type, clean);
    const std::vector<float> found = RoundTrip(type, spoiled);
    EXPECT_EQ(std::memcmp(found.data(), expected.data(), 256 * 4), 0) << Name(type);
    EXPECT_EQ(std::memcmp(&found[512], &expected[512], 256 * 4), 0) << Name(type);
  }
}

TEST(QuantizeTest, DecodesAnyBytes) {
  Random random(3);
  const auto decode = [&random](TensorType type) {
    std::vector<std::byte> packed(*RowBytes(type, 2048));
    for (std::byte& byte : packed) byte = static_cast<std::byte>(random.NextBelow(256));
    EXPECT_EQ(Decode(type, packed, 2048).size(), 2048u);  // the sanitizers watch
  };
  for (const TensorType type : kEncodable) decode(type);
  for (const TensorType type : kDecodeOnly) decode(type);
}

// An infinite scale and one that is not a number show in every element that does not count zero.
TEST(QuantizeTest, ScalesThatAreNotFiniteShow) {
  for (const HalfBits half : {HalfBits{0x7c00}, HalfBits{0xfc00}, HalfBits{0x7e00}}) {
    for (const TensorType type : kDecodeOnly) {
      std::vector<std::byte> packed(*RowBytes(type, 256), std::byte{0x5a});
      std::memcpy(packed.data(), &half, sizeof(half));
      for (const float value : Decode(type, packed, 256)) EXPECT_FALSE(std::isfinite(value));
    }
  }
}

TEST(QuantizeTest, RowsNeedNoAlignment) {
  const std::vector<float> x = Normals(256, 9);
  for (const TensorType type : kEncodable) {
    const std::vector<std::byte> packed = Encode(type, x);
    std::vector<std::byte> shifted(packed.size() + 1);
    QuantizeRow(type, x.data(), x.size(), shifted.data() + 1);
    EXPECT_TRUE(std::equal(packed.begin(), packed.end(), shifted.begin() + 1)) << Name(type);
    std::vector<float> y(x.size());
    DequantizeRow(type, shifted.data() + 1, y.size(), y.data());
    EXPECT_EQ(y, Decode(type, packed, x.size())) << Name(type);
  }
  for (const TensorType type : kDecodeOnly) {
    std::vector<std::byte> packed(*RowBytes(type, x.size()), std::byte{0x36});
    std::vector<std::byte> shifted(packed.size() + 1, std::byte{0x36});
    std::vector<float> y(x.size());
    DequantizeRow(type, shifted.data() + 1, y.size(), y.data());
    EXPECT_EQ(y, Decode(type, packed, x.size())) << Name(type);
  }
}

TEST(QuantizeDeathTest, PartialBlocksAndUnsupportedTypesAreBugs) {
  std::vector<float> x(256);
  std::vector<std::byte> packed(1024);
  EXPECT_DEATH(QuantizeRow(TensorType::kQ8_0, x.data(), 33, packed.data()), "whole number");
  EXPECT_DEATH(QuantizeRow(TensorType::kIQ2_XXS, x.data(), 256, packed.data()), "not written");
  EXPECT_DEATH(DequantizeRow(TensorType::kQ8_K, packed.data(), 256, x.data()), "no conversion");
}

}  // namespace
}  // namespace edgemoe
