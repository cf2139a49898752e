// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstring>
#include <limits>

#include "engine/quant/block_formats.h"
#include "engine/quant/half.h"
#include "tests/engine/kernels/kernel_cases.h"

namespace edgemoe {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

class EncodeTest : public EveryTable {
 protected:
  static std::vector<std::byte> Encode(const KernelTable& table, ActivationType type,
                                       const std::vector<float>& x) {
    std::vector<std::byte> encoded(ActivationRowBytes(type, x.size()), std::byte{0xee});
    table.encode[static_cast<std::size_t>(type)](x.data(), x.size(), encoded.data());
    return encoded;
  }
  template <class Block>
  static std::vector<Block> Blocks(const std::vector<std::byte>& encoded) {
    std::vector<Block> blocks(encoded.size() / sizeof(Block));
    std::memcpy(blocks.data(), encoded.data(), encoded.size());
    return blocks;
  }
};

// Blocks of 256 of every kind that could round differently somewhere.
std::vector<float> HardRow() {
  Random random(7);
  std::vector<float> x;
  const auto add = [&](auto value) {
    for (int i = 0; i < 256; ++i) x.push_back(value(i));
  };
  for (const double scale : {1.0, 1e-3, 1e4, 1e-30, 1e30, 1e-7}) {
    add([&](int) { return RandomNormal(random, scale); });
  }
  add([](int) { return 0.0f; });
  add([](int i) { return i == 200 ? 0.0f : -0.0f; });
  // The largest is 127, so that the scale is 1 and all others lie halfway between integers.
  add([](int i) { return i % 32 == 5 ? 127.0f : static_cast<float>(i % 100 - 50) + 0.5f; });
  add([](int i) { return i % 2 == 0 ? 3.0f : -3.0f; });
  add([](int i) { return std::numeric_limits<float>::denorm_min() * static_cast<float>(i); });
  add([](int i) { return i == 77 ? 1000.0f : 1e-3f; });
  add([](int i) { return i == 77 ? -kInfinity : 1.0f; });
  add([](int i) { return i == 0 ? std::numeric_limits<float>::max() : 1e38f; });
  return x;
}

TEST_P(EncodeTest, WritesTheReferenceBits) {
  const std::vector<float> x = HardRow();
  for (std::size_t type = 0; type < kActivationTypeCount; ++type) {
    const auto activation = static_cast<ActivationType>(type);
    EXPECT_EQ(Encode(table(), activation, x), Encode(ReferenceKernels(), activation, x))
        << "activation type " << type;
  }
}

TEST_P(EncodeTest, PlainTypesOfAnyLength) {
  Random random(3);
  for (const std::size_t n : {1u, 7u, 8u, 15u, 16u, 17u, 33u}) {
    const std::vector<float> x = RandomFloats(random, n);
    const auto halves = Encode(table(), ActivationType::kF16, x);
    const auto bfloats = Encode(table(), ActivationType::kBF16, x);
    std::vector<std::uint16_t> expected_halves(n);
    std::vector<std::uint16_t> expected_bfloats(n);
    for (std::size_t i = 0; i < n; ++i) {
      expected_halves[i] = FloatToHalf(x[i]);
      expected_bfloats[i] = FloatToBFloat(x[i]);
    }
    EXPECT_EQ(std::memcmp(halves.data(), expected_halves.data(), halves.size()), 0) << n;
    EXPECT_EQ(std::memcmp(bfloats.data(), expected_bfloats.data(), bfloats.size()), 0) << n;
    EXPECT_EQ(
        std::memcmp(Encode(table(), ActivationType::kF32, x).data(), x.data(), n * sizeof(float)),
        0);
  }
}

// Half a step from rounding to integers, and for Q8_0 the rounding of the scale to half (2^-11)
// times up to 127.
TEST_P(EncodeTest, DecodesToNearby) {
  Random random(5);
  const std::vector<float> x = RandomFloats(random, 1024);
  const auto small = Blocks<BlockQ8_0>(Encode(table(), ActivationType::kQ8_0, x));
  const auto large = Blocks<BlockQ8_K>(Encode(table(), ActivationType::kQ8_K, x));
  ASSERT_EQ(small.size(), 32u);
  ASSERT_EQ(large.size(), 4u);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const BlockQ8_0& s = small[i / 32];
    const double step = static_cast<double>(HalfToFloat(s.d));
    EXPECT_NEAR(step * s.qs[i % 32], static_cast<double>(x[i]), step * (0.501 + 127 * 0x1.0p-11));
    const BlockQ8_K& l = large[i / 256];
    const double large_step = static_cast<double>(l.d);
    EXPECT_NEAR(large_step * l.qs[i % 256], static_cast<double>(x[i]), large_step * 0.501);
  }
  for (const BlockQ8_K& block : large) {
    for (std::size_t j = 0; j < 16; ++j) {
      int sum = 0;
      for (std::size_t i = 0; i < 16; ++i) sum += block.qs[16 * j + i];
      EXPECT_EQ(block.bsums[j], sum);
    }
  }
}

TEST_P(EncodeTest, NanGoesIntoItsBlocksScaleOnly) {
  for (const std::size_t position : {0u, 3u, 31u}) {
    std::vector<float> x(512, 1.0f);
    x[256 + position] = kNan;
    const auto small = Blocks<BlockQ8_0>(Encode(table(), ActivationType::kQ8_0, x));
    const auto large = Blocks<BlockQ8_K>(Encode(table(), ActivationType::kQ8_K, x));
    EXPECT_TRUE(std::isnan(HalfToFloat(small[8].d)));
    EXPECT_FALSE(std::isnan(HalfToFloat(small[7].d)));
    EXPECT_FALSE(std::isnan(HalfToFloat(small[9].d)));
    EXPECT_TRUE(std::isnan(large[1].d));
    EXPECT_FALSE(std::isnan(large[0].d));
  }
}

INSTANTIATE_TEST_SUITE_P(Kernels, EncodeTest, AllTables(), TableName);

}  // namespace
}  // namespace edgemoe
