// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <limits>

#include "engine/quant/half.h"
#include "tests/engine/kernels/kernel_cases.h"

namespace edgemoe {
namespace {

constexpr std::size_t kSizes[] = {1, 5, 8, 15, 16, 17, 33, 64, 100, 2048};

class VectorTest : public EveryTable {};

// The scale is rounded once, its product with x and with the weight once each.
TEST_P(VectorTest, RmsNorm) {
  Random random(11);
  for (const std::size_t n : kSizes) {
    const auto x = RandomFloats(random, n, 3.0);
    const auto weight = RandomFloats(random, n);
    std::vector<float> out(n);
    table().rms_norm(x.data(), weight.data(), n, 1e-6f, out.data());
    double sum = 0;
    for (const float value : x) sum += static_cast<double>(value) * static_cast<double>(value);
    const double scale = 1 / std::sqrt(sum / static_cast<double>(n) + static_cast<double>(1e-6f));
    for (std::size_t i = 0; i < n; ++i) {
      const double expected = static_cast<double>(x[i]) * scale * static_cast<double>(weight[i]);
      EXPECT_NEAR(static_cast<double>(out[i]), expected, 4 * kUnitRoundoff * std::fabs(expected));
    }
    std::vector<float> in_place = x;
    table().rms_norm(in_place.data(), weight.data(), n, 1e-6f, in_place.data());
    EXPECT_EQ(in_place, out);
  }
}

// Squares beyond float's range still have a finite mean.
TEST_P(VectorTest, RmsNormSumsInDouble) {
  const std::vector<float> x(64, 1e25f);
  const std::vector<float> weight(64, 1.0f);
  std::vector<float> out(64);
  table().rms_norm(x.data(), weight.data(), x.size(), 1e-6f, out.data());
  for (const float value : out) EXPECT_NEAR(value, 1.0f, 1e-6f);
}

TEST_P(VectorTest, RopeRotatesPairsHalfAHeadApart) {
  Random random(12);
  for (const std::size_t head_size : {2u, 32u, 64u, 80u, 128u}) {
    const std::size_t half = head_size / 2;
    const auto head = RandomFloats(random, head_size);
    std::vector<float> cosines(half);
    std::vector<float> sines(half);
    for (std::size_t i = 0; i < half; ++i) {
      const double angle = random.NextUnit() * 6.28;
      cosines[i] = static_cast<float>(std::cos(angle));
      sines[i] = static_cast<float>(std::sin(angle));
    }
    auto rotated = head;
    table().rope_neox(rotated.data(), head_size, cosines.data(), sines.data());
    for (std::size_t i = 0; i < half; ++i) {
      const double a = static_cast<double>(head[i]);
      const double b = static_cast<double>(head[i + half]);
      const double c = static_cast<double>(cosines[i]);
      const double s = static_cast<double>(sines[i]);
      EXPECT_NEAR(static_cast<double>(rotated[i]), a * c - b * s,
                  3 * kUnitRoundoff * (std::fabs(a * c) + std::fabs(b * s)));
      EXPECT_NEAR(static_cast<double>(rotated[i + half]), a * s + b * c,
                  3 * kUnitRoundoff * (std::fabs(a * s) + std::fabs(b * c)));
    }
  }
}

// e^-gate within two units in the last place (4 u), the sum, the quotient and the product one
// rounding each. A table may stop at e^88: then the true value is nearer to zero than |gate| e^-88.
TEST_P(VectorTest, SwigluOverTheWholeRange) {
  std::vector<float> gate;
  for (double g = -120; g <= 120; g += 0.00731) gate.push_back(static_cast<float>(g));
  for (const float g : {0.0f, -0.0f, 1e-30f, -1e-30f, 1e30f, -1e4f, 3e-6f}) gate.push_back(g);
  const std::vector<float> up(gate.size(), 1.5f);
  std::vector<float> out(gate.size());
  table().swiglu(gate.data(), up.data(), gate.size(), out.data());
  for (std::size_t i = 0; i < gate.size(); ++i) {
    const double g = static_cast<double>(gate[i]);
    const double expected = g / (1 + std::exp(-g)) * 1.5;
    const double tolerance =
        7 * kUnitRoundoff * std::fabs(expected) + 1.501 * std::fabs(g) * std::exp(-88.0);
    ASSERT_NEAR(static_cast<double>(out[i]), expected, tolerance) << "gate " << gate[i];
  }
  table().swiglu(gate.data(), up.data(), gate.size(), gate.data());
  EXPECT_EQ(gate, out);
}

// Beside the roundings of SwiGLU: -1.702 g is rounded, which moves e^x by |x| u of itself, and so
// the quotient by at most that; u + 1 is one rounding more.
TEST_P(VectorTest, ClampedSwigluOverTheWholeRange) {
  std::vector<float> gate;
  std::vector<float> up;
  for (double g = -60; g <= 60; g += 0.0173) {
    gate.push_back(static_cast<float>(g));
    up.push_back(static_cast<float>(g * 0.37 + 1));
  }
  for (const float g : {7.0f, 7.5f, -7.0f, -7.5f, 0.0f, -0.0f, 1e30f, -1e4f}) {
    gate.push_back(g);
    up.push_back(-g);
  }
  std::vector<float> out(gate.size());
  table().clamped_swiglu(gate.data(), up.data(), gate.size(), out.data());
  for (std::size_t i = 0; i < gate.size(); ++i) {
    const double g = std::min(static_cast<double>(gate[i]), 7.0);
    const double u = std::clamp(static_cast<double>(up[i]), -7.0, 7.0);
    const double sharpened = static_cast<double>(1.702f) * g;
    const double expected = g / (1 + std::exp(-sharpened)) * (u + 1);
    const double tolerance = (9 + std::fabs(sharpened)) * kUnitRoundoff * std::fabs(expected) +
                             kUnitRoundoff * std::fabs(g) + 8.001 * std::fabs(g) * std::exp(-87.0);
    ASSERT_NEAR(static_cast<double>(out[i]), expected, tolerance)
        << "gate " << gate[i] << ", up " << up[i];
  }
  table().clamped_swiglu(gate.data(), up.data(), gate.size(), gate.data());
  EXPECT_EQ(gate, out);
}

// As SwiGLU; what the exponential takes is rounded four times, which moves e^x by |x| u of itself
// each.
TEST_P(VectorTest, GegluOverTheWholeRange) {
  std::vector<float> gate;
  for (double g = -14; g <= 14; g += 0.00173) gate.push_back(static_cast<float>(g));
  for (const float g : {0.0f, -0.0f, 1e-30f, -1e-30f, 1e30f, -1e4f, 3e-6f}) gate.push_back(g);
  const std::vector<float> up(gate.size(), 1.5f);
  std::vector<float> out(gate.size());
  table().geglu(gate.data(), up.data(), gate.size(), out.data());
  for (std::size_t i = 0; i < gate.size(); ++i) {
    const double g = static_cast<double>(gate[i]);
    const double pi = std::acos(-1.0);
    const double bent = std::sqrt(2 / pi) * (g + 0.044715 * g * g * g);
    const double expected = 0.5 * g * (1 + std::tanh(bent)) * 1.5;
    // Near -1, 1 + tanh is what is left of two numbers that are alike.
    const double cancelled = 1.5 * std::fabs(g) * 0x1.0p-52;
    const double tolerance = (7 + 8 * std::fabs(bent)) * kUnitRoundoff * std::fabs(expected) +
                             1.501 * std::fabs(g) * std::exp(-88.0) + cancelled;
    ASSERT_NEAR(static_cast<double>(out[i]), expected, tolerance) << "gate " << gate[i];
  }
  table().geglu(gate.data(), up.data(), gate.size(), gate.data());
  EXPECT_EQ(gate, out);
}

// Near 0 the tables take tanh as the difference of two numbers that are alike: the error is a few
// roundings of the cap itself. e^(2 x / cap) is off by |2 x / cap| u of itself and two units more.
TEST_P(VectorTest, SoftCapOverTheWholeRange) {
  for (const float cap : {30.0f, 0.5f}) {
    std::vector<float> x;
    for (double v = -300; v <= 300; v += 0.0217) x.push_back(static_cast<float>(v));
    for (const float v : {0.0f, -0.0f, 1e-30f, 1e30f, -1e30f, 3e-6f}) x.push_back(v);
    std::vector<float> capped = x;
    table().soft_cap(capped.data(), capped.size(), cap);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double ratio = static_cast<double>(x[i]) / static_cast<double>(cap);
      const double expected = static_cast<double>(cap) * std::tanh(ratio);
      const double steps = 8 + 2 * std::min(std::fabs(ratio), 10.0);
      ASSERT_NEAR(static_cast<double>(capped[i]), expected,
                  steps * kUnitRoundoff * static_cast<double>(cap))
          << x[i];
    }
  }
}

TEST_P(VectorTest, SoftCapKeepsNaN) {
  std::vector<float> x(37, 1.0f);
  x[5] = x[33] = std::nanf("");
  table().soft_cap(x.data(), x.size(), 30.0f);
  EXPECT_TRUE(std::isnan(x[5]) && std::isnan(x[33]));
  EXPECT_FALSE(std::isnan(x[6]));
}

TEST_P(VectorTest, GegluKeepsNaN) {
  std::vector<float> x(37, 1.0f);
  const std::vector<float> ones(37, 1.0f);
  x[5] = x[33] = std::nanf("");
  std::vector<float> out(37);
  table().geglu(x.data(), ones.data(), 37, out.data());
  EXPECT_TRUE(std::isnan(out[5]) && std::isnan(out[33]));
  EXPECT_FALSE(std::isnan(out[6]));
}

TEST_P(VectorTest, ClampedSwigluKeepsNaN) {
  std::vector<float> x(37, 1.0f);
  const std::vector<float> ones(37, 1.0f);
  x[5] = x[33] = std::nanf("");
  std::vector<float> out(37);
  table().clamped_swiglu(x.data(), ones.data(), 37, out.data());
  EXPECT_TRUE(std::isnan(out[5]) && std::isnan(out[33]));
  table().clamped_swiglu(ones.data(), x.data(), 37, out.data());
  EXPECT_TRUE(std::isnan(out[5]) && std::isnan(out[33]));
  EXPECT_FALSE(std::isnan(out[6]));
}

TEST_P(VectorTest, SwigluOfAnyLength) {
  Random random(13);
  for (const std::size_t n : kSizes) {
    const auto gate = RandomFloats(random, n);
    const auto up = RandomFloats(random, n);
    std::vector<float> out(n + 1, 77.0f);
    table().swiglu(gate.data(), up.data(), n, out.data());
    for (std::size_t i = 0; i < n; ++i) {
      const double g = static_cast<double>(gate[i]);
      const double expected = g / (1 + std::exp(-g)) * static_cast<double>(up[i]);
      EXPECT_NEAR(static_cast<double>(out[i]), expected, 7 * kUnitRoundoff * std::fabs(expected));
    }
    EXPECT_EQ(out[n], 77.0f);
  }
}

// x - max is rounded, which moves e^x by |x - max| u; e^x itself 4 u, sum and products a few more.
// Where e^x would be subnormal it may be zero.
TEST_P(VectorTest, Softmax) {
  Random random(14);
  for (const std::size_t n : {1u, 2u, 5u, 16u, 17u, 100u, 4097u}) {
    for (const double scale : {0.1, 5.0, 60.0}) {
      const auto x = RandomFloats(random, n, scale);
      auto out = x;
      table().softmax(out.data(), n);
      const double max = static_cast<double>(*std::max_element(x.begin(), x.end()));
      double sum = 0;
      for (const float value : x) sum += std::exp(static_cast<double>(value) - max);
      for (std::size_t i = 0; i < n; ++i) {
        const double distance = max - static_cast<double>(x[i]);
        const double expected = std::exp(-distance) / sum;
        EXPECT_NEAR(static_cast<double>(out[i]), expected,
                    (distance + 12) * kUnitRoundoff * expected + 2 * static_cast<double>(FLT_MIN));
      }
    }
  }
}

TEST_P(VectorTest, SoftmaxOfNegativesAndExtremes) {
  std::vector<float> x = {-1e30f, -3e38f, -1e30f, -std::numeric_limits<float>::infinity()};
  table().softmax(x.data(), x.size());
  EXPECT_EQ(x, (std::vector<float>{0.5f, 0, 0.5f, 0}));
  x = std::vector<float>(20, -1000.0f);  // lanes beyond the end must not count as zeros
  table().softmax(x.data(), 19);
  for (std::size_t i = 0; i < 19; ++i) EXPECT_NEAR(x[i], 1.0f / 19, 1e-8f);
  EXPECT_EQ(x[19], -1000.0f);
}

TEST_P(VectorTest, AddScaled) {
  Random random(15);
  for (const std::size_t n : kSizes) {
    const auto x = RandomFloats(random, n);
    const auto start = RandomFloats(random, n);
    auto y = start;
    table().add_scaled(x.data(), 0.37f, n, y.data());
    for (std::size_t i = 0; i < n; ++i) {
      const double product = static_cast<double>(x[i]) * static_cast<double>(0.37f);
      const double expected = static_cast<double>(start[i]) + product;
      EXPECT_NEAR(
          static_cast<double>(y[i]), expected,
          2 * kUnitRoundoff * (std::fabs(static_cast<double>(start[i])) + std::fabs(product)));
    }
  }
}

TEST_P(VectorTest, ToHalfRoundsToNearestEven) {
  Random random(16);
  auto x = RandomFloats(random, 1003, 100.0);
  for (const float value : {0.0f, -0.0f, 65504.0f, 65519.0f, 65520.0f, 1e9f, -1e9f, 1e-8f, 6e-8f,
                            1.00048828125f, 1.00146484375f, 5.9604645e-8f, 2.9802322e-8f}) {
    x.push_back(value);
  }
  std::vector<std::uint16_t> out(x.size());
  table().to_half(x.data(), x.size(), out.data());
  for (std::size_t i = 0; i < x.size(); ++i) EXPECT_EQ(out[i], FloatToHalf(x[i])) << x[i];
}

TEST_P(VectorTest, NanShowsAndHarmsNothing) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  for (const std::size_t position : {0u, 5u, 17u, 36u}) {
    std::vector<float> x(37, 1.0f);
    x[position] = kNan;
    const std::vector<float> ones(37, 1.0f);
    std::vector<float> out(37);
    table().rms_norm(x.data(), ones.data(), 37, 1e-6f, out.data());
    for (const float value : out) EXPECT_TRUE(std::isnan(value));
    table().swiglu(x.data(), ones.data(), 37, out.data());
    for (std::size_t i = 0; i < 37; ++i) EXPECT_EQ(std::isnan(out[i]), i == position);
    table().softmax(x.data(), 37);
    for (const float value : x) EXPECT_TRUE(std::isnan(value));
  }
}

INSTANTIATE_TEST_SUITE_P(Kernels, VectorTest, AllTables(), TableName);

}  // namespace
}  // namespace edgemoe
