// SPDX-License-Identifier: Apache-2.0
//
// Quantisation weighted by the importance of columns.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "engine/quant/codebooks.h"
#include "engine/quant/quantize.h"

namespace edgemoe {
namespace {

constexpr std::size_t kColumns = 256;
constexpr std::size_t kRows = 64;

// The sum of importance * (x - decoded)^2 that ggml's quantisers leave on Sample's rows, from
// python3 make_peer_errors.py, beside this file.
struct PeerError {
  TensorType type;
  double sum;
};
constexpr std::array<PeerError, 13> kPeerErrors = {{{TensorType::kQ2_K, 32589.4},
                                                    {TensorType::kQ3_K, 10025},
                                                    {TensorType::kQ4_0, 3187.4},
                                                    {TensorType::kQ4_1, 2314.22},
                                                    {TensorType::kQ4_K, 2364.9},
                                                    {TensorType::kQ5_0, 781.069},
                                                    {TensorType::kQ5_1, 545.044},
                                                    {TensorType::kQ5_K, 608.477},
                                                    {TensorType::kQ6_K, 145.305},
                                                    {TensorType::kQ8_0, 14.6365},
                                                    {TensorType::kIQ4_NL, 2779.45},
                                                    {TensorType::kMXFP4, 7112.21},
                                                    {TensorType::kIQ4_XS, 2833.95}}};

std::string Name(TensorType type) { return std::string(TraitsOf(type).name); }

// Rows of bell-shaped values and an importance from 1 to 256: what make_peer_errors.py draws, too.
struct Sample {
  Sample() : x(kRows * kColumns), importance(kColumns) {
    for (float& value : x) {
      int sum = -131070;
      for (int i = 0; i < 4; ++i) sum += static_cast<int>(Draw());
      value = static_cast<float>(sum) / 65536;
    }
    for (float& value : importance) {
      const auto root = static_cast<float>(1 + Draw() % 16);
      value = root * root;
    }
  }

  std::vector<float> x;           // [kRows, kColumns]
  std::vector<float> importance;  // [kColumns]

 private:
  std::uint32_t Draw() {
    state_ = state_ * 1664525u + 1013904223u;
    return state_ >> 16;
  }
  std::uint32_t state_ = 1;
};

std::vector<std::byte> Encode(TensorType type, const float* x, std::size_t n,
                              const float* importance) {
  std::vector<std::byte> packed(*RowBytes(type, n));
  QuantizeRow(type, x, n, importance, packed.data());
  return packed;
}

std::vector<float> RoundTrip(TensorType type, const std::vector<float>& x,
                             const float* importance) {
  std::vector<float> y(x.size());
  DequantizeRow(type, Encode(type, x.data(), x.size(), importance).data(), x.size(), y.data());
  return y;
}

double WeightedError(const Sample& sample, TensorType type, const float* importance) {
  double sum = 0;
  for (std::size_t row = 0; row < kRows; ++row) {
    const std::vector<float> x(&sample.x[row * kColumns], &sample.x[row * kColumns] + kColumns);
    const std::vector<float> y = RoundTrip(type, x, importance);
    for (std::size_t i = 0; i < kColumns; ++i)
      sum += sample.importance[i] * std::pow(double{y[i]} - x[i], 2);
  }
  return sum;
}

TEST(WeightedQuantizeTest, NoWorseThanThePeersQuantisers) {
  const Sample sample;
  for (const PeerError& peer : kPeerErrors)
    EXPECT_LE(WeightedError(sample, peer.type, sample.importance.data()), peer.sum)
        << Name(peer.type);
}

TEST(WeightedQuantizeTest, LowersTheErrorThatItWeighs) {
  const Sample sample;
  for (const PeerError& peer : kPeerErrors)
    EXPECT_LT(WeightedError(sample, peer.type, sample.importance.data()),
              WeightedError(sample, peer.type, nullptr))
        << Name(peer.type);
}

TEST(WeightedQuantizeTest, NullIsTheCallWithoutImportance) {
  const Sample sample;
  for (const PeerError& peer : kPeerErrors) {
    std::vector<std::byte> plain(*RowBytes(peer.type, sample.x.size()));
    QuantizeRow(peer.type, sample.x.data(), sample.x.size(), plain.data());
    EXPECT_EQ(Encode(peer.type, sample.x.data(), sample.x.size(), nullptr), plain)
        << Name(peer.type);
  }
}

TEST(WeightedQuantizeTest, OnlyItsProportionsMatter) {
  const Sample sample;
  for (const float factor : {0x1p-40f, 0x1p+60f}) {
    std::vector<float> scaled = sample.importance;
    for (float& value : scaled) value *= factor;
    for (const PeerError& peer : kPeerErrors)
      EXPECT_EQ(Encode(peer.type, sample.x.data(), kColumns, scaled.data()),
                Encode(peer.type, sample.x.data(), kColumns, sample.importance.data()))
          << Name(peer.type);
  }
}

TEST(WeightedQuantizeTest, WhatIsUnknownCountsAsTheMean) {
  const Sample sample;
  const float unknown[] = {std::numeric_limits<float>::quiet_NaN(),
                           std::numeric_limits<float>::infinity(), -1};
  std::vector<float> holes(kColumns, 3), means(kColumns, 3);
  for (std::size_t i = 0; i < kColumns; i += 4) {
    means[i + 1] = holes[i + 1] = 1;
    means[i + 2] = holes[i + 2] = 5;
    holes[i + 3] = unknown[i / 4 % 3];
  }
  const std::vector<float> zeros(kColumns, 0), ones(kColumns, 1), nans(kColumns, unknown[0]);
  for (const PeerError& peer : kPeerErrors) {
    const auto encode = [&](const std::vector<float>& importance) {
      return Encode(peer.type, sample.x.data(), kColumns, importance.data());
    };
    EXPECT_EQ(encode(holes), encode(means)) << Name(peer.type);
    EXPECT_EQ(encode(zeros), encode(ones)) << Name(peer.type);
    EXPECT_EQ(encode(nans), encode(ones)) << Name(peer.type);
  }
}

TEST(WeightedQuantizeTest, AnyInputGivesFiniteBlocks) {
  const float inf = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float largest = std::numeric_limits<float>::max();
  const float smallest = std::numeric_limits<float>::denorm_min();
  const std::vector<std::vector<float>> values = {{0},
                                                  {nan},
                                                  {inf, 1},
                                                  {largest},
                                                  {-largest, largest},
                                                  {smallest, -smallest},
                                                  {3e-8f, 1e-7f},
                                                  {1, 1e30f, 0},
                                                  {-65504, 65504, 0, 1},
                                                  {inf, -inf, nan, largest, smallest, 1}};
  const std::vector<std::vector<float>> weights = {
      {1}, {0}, {largest}, {smallest}, {0, 1}, {largest, smallest, 0}, {nan, -1, inf, 2}};
  std::vector<float> x(kColumns), importance(kColumns);
  for (const std::vector<float>& some : values) {
    for (const std::vector<float>& weight : weights) {
      for (std::size_t i = 0; i < kColumns; ++i) {
        x[i] = some[i % some.size()];
        importance[i] = weight[i % weight.size()];
      }
      for (const PeerError& peer : kPeerErrors)
        for (const float y : RoundTrip(peer.type, x, importance.data()))
          ASSERT_TRUE(std::isfinite(y)) << Name(peer.type) << ' ' << some[0] << ' ' << weight[0];
    }
  }
}

TEST(WeightedQuantizeTest, ALargeValueOfNoImportanceDoesNotSpoilItsBlock) {
  Sample sample;
  sample.x[7] = 2.5f;
  sample.importance.assign(kColumns, 1);
  sample.importance[7] = 0;
  for (const TensorType type : {TensorType::kQ4_0, TensorType::kQ3_K}) {
    const std::vector<float> x(sample.x.begin(), sample.x.begin() + kColumns);
    const std::vector<float> weighted = RoundTrip(type, x, sample.importance.data());
    const std::vector<float> plain = RoundTrip(type, x, nullptr);
    double weighted_error = 0, plain_error = 0;
    for (std::size_t i = 0; i < 16; ++i) {
      weighted_error += i == 7 ? 0 : std::pow(weighted[i] - x[i], 2);
      plain_error += i == 7 ? 0 : std::pow(plain[i] - x[i], 2);
    }
    EXPECT_LT(weighted_error, 0.8 * plain_error) << Name(type);
  }
}

// Blocks that a format holds exactly come back, whatever the importance.
TEST(WeightedQuantizeTest, ExactBlocksAreFound) {
  const Sample sample;
  const auto expect_exact = [&](TensorType type, const std::vector<float>& x) {
    for (const float* importance : {static_cast<const float*>(nullptr), sample.importance.data()}) {
      const std::vector<float> y = RoundTrip(type, x, importance);
      double error = 0, power = 0;
      for (std::size_t i = 0; i < x.size(); ++i) {
        error += std::pow(y[i] - x[i], 2);
        power += std::pow(x[i], 2);
      }
      EXPECT_LE(error, 1e-6 * power) << Name(type) << (importance ? ", weighted" : "");
    }
  };
  std::vector<float> x(kColumns);
  const auto fill = [&x](auto value) {
    for (std::size_t i = 0; i < kColumns; ++i) x[i] = value(static_cast<int>(i * 5 % 32));
  };
  fill([](int k) { return 0.25f * static_cast<float>(k % 16 - 8); });
  expect_exact(TensorType::kQ4_0, x);
  fill([](int k) { return 0.25f * static_cast<float>(k % 16) - 1.5f; });
  expect_exact(TensorType::kQ4_1, x);
  expect_exact(TensorType::kQ4_K, x);
  fill([](int k) { return 0.25f * static_cast<float>(k - 16); });
  expect_exact(TensorType::kQ5_0, x);
  fill([](int k) { return 0.25f * static_cast<float>(k) + 1.5f; });
  expect_exact(TensorType::kQ5_1, x);
  fill([](int k) { return 0.25f * static_cast<float>(k % 8 - 4); });
  expect_exact(TensorType::kQ3_K, x);
  fill([](int k) { return 0.25f * static_cast<float>(k % 4) - 0.5f; });
  expect_exact(TensorType::kQ2_K, x);
  fill([](int k) { return 0.25f * static_cast<float>(kIq4NlValues[k % 16]); });
  expect_exact(TensorType::kIQ4_NL, x);
  expect_exact(TensorType::kIQ4_XS, x);
  fill([](int k) { return 0.25f * static_cast<float>(kMxfp4Values[k % 16]); });
  expect_exact(TensorType::kMXFP4, x);
}

}  // namespace
}  // namespace edgemoe
