// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/engine/kernels/kernel_cases.h"

namespace edgemoe {
namespace {

// Vectors of one step, in double.
struct Step {
  std::vector<double> key;
  std::vector<double> query;
  std::vector<double> value;
  double decay = 0;
  double rate = 0;
};

// A value, and the magnitudes that its roundings are shares of.
struct Sum {
  double value = 0;
  double magnitude = 0;
};

std::vector<double> Widened(const std::vector<float>& values) {
  return {values.begin(), values.end()};
}

// The rule as the paper writes it: the state decays, what it knows of the key gives way to the
// value. Changes `state`; its magnitudes and the output.
std::vector<Sum> Apply(const Step& step, std::vector<Sum>& state) {
  const std::size_t size = step.key.size();
  for (Sum& element : state) element.value *= step.decay;
  std::vector<Sum> out(size);
  for (std::size_t column = 0; column < size; ++column) {
    double known = 0;
    double known_magnitude = std::fabs(step.value[column]);
    for (std::size_t i = 0; i < size; ++i) {
      const double product = step.key[i] * state[i * size + column].value;
      known += product;
      known_magnitude += std::fabs(product);
    }
    const double change = step.rate * (step.value[column] - known);
    for (std::size_t i = 0; i < size; ++i) {
      Sum& element = state[i * size + column];
      element.magnitude =
          std::fabs(element.value) + std::fabs(step.key[i]) * step.rate * known_magnitude;
      element.value += step.key[i] * change;
      out[column].value += step.query[i] * element.value;
      out[column].magnitude += std::fabs(step.query[i]) * element.magnitude;
    }
  }
  return out;
}

class DeltaRuleTest : public EveryTable {};

// A change is off by about size + 4 roundings of what it is the sum of, an element by 3 more, the
// output by size more.
TEST_P(DeltaRuleTest, FollowsThePaper) {
  Random random(31);
  for (const std::size_t size : {1U, 4U, 20U, 32U, 64U, 75U, 80U, 128U, 150U}) {
    const auto key = RandomFloats(random, size, 1 / std::sqrt(static_cast<double>(size)));
    const auto query = RandomFloats(random, size);
    const auto value = RandomFloats(random, size);
    auto state = RandomFloats(random, size * size);
    std::vector<Sum> expected(size * size);
    std::ranges::transform(state, expected.begin(),
                           [](float x) { return Sum{.value = static_cast<double>(x)}; });
    state.push_back(77.0F);
    std::vector<float> out(size + 1, 77.0F);
    const DeltaRuleArgs args = {.state = state.data(),
                                .size = size,
                                .key = key.data(),
                                .query = query.data(),
                                .value = value.data(),
                                .decay = 0.875F,
                                .rate = 0.625F,
                                .out = out.data()};
    table().delta_rule(args);
    const std::vector<Sum> sums =
        Apply({Widened(key), Widened(query), Widened(value), 0.875, 0.625}, expected);
    const auto roundings = static_cast<double>(size + 7);
    for (std::size_t i = 0; i < size * size; ++i)
      ASSERT_NEAR(static_cast<double>(state[i]), expected[i].value,
                  roundings * kUnitRoundoff * expected[i].magnitude)
          << "size " << size << ", element " << i;
    for (std::size_t i = 0; i < size; ++i)
      ASSERT_NEAR(static_cast<double>(out[i]), sums[i].value,
                  2 * roundings * kUnitRoundoff * sums[i].magnitude)
          << "size " << size << ", output " << i;
    EXPECT_EQ(state.back(), 77.0F);
    EXPECT_EQ(out.back(), 77.0F);
  }
}

// With a rate of 1 and a key of length 1 the state gives back exactly the value that it was taught.
TEST_P(DeltaRuleTest, ReplacesWhatItKnewOfAKey) {
  Random random(32);
  constexpr std::size_t kSize = 64;
  std::vector<float> key(kSize, 0.125F);
  const auto value = RandomFloats(random, kSize);
  auto state = RandomFloats(random, kSize * kSize);
  std::vector<float> out(kSize);
  table().delta_rule({.state = state.data(),
                      .size = kSize,
                      .key = key.data(),
                      .query = key.data(),
                      .value = value.data(),
                      .decay = 0.5F,
                      .rate = 1.0F,
                      .out = out.data()});
  for (std::size_t i = 0; i < kSize; ++i) EXPECT_NEAR(out[i], value[i], 1e-5F);
}

INSTANTIATE_TEST_SUITE_P(Kernels, DeltaRuleTest, AllTables(), TableName);

}  // namespace
}  // namespace edgemoe
