// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>

#include "engine/quant/half.h"
#include "tests/engine/kernels/kernel_cases.h"

namespace edgemoe {
namespace {

constexpr std::size_t kHeadSizes[] = {4, 20, 32, 64, 80, 96, 128, 192, 256};

std::vector<std::uint16_t> RandomHalves(Random& random, std::size_t n) {
  std::vector<std::uint16_t> halves(n);
  for (std::uint16_t& half : halves) half = FloatToHalf(RandomNormal(random));
  return halves;
}

class AttentionTest : public EveryTable {};

// head_size terms, the products rounded, the sum over lanes and the scale on top.
TEST_P(AttentionTest, ScoresAreScaledDotProducts) {
  Random random(21);
  for (const std::size_t head_size : kHeadSizes) {
    for (const std::size_t count : {0u, 1u, 2u, 3u, 4u, 7u, 33u}) {
      const std::size_t stride = 2 * head_size + 3;
      const auto q = RandomFloats(random, head_size);
      const auto keys = RandomHalves(random, count == 0 ? 0 : (count - 1) * stride + head_size);
      std::vector<float> scores(count + 1, 77.0f);
      table().attention_scores(q.data(), keys.data(), stride, count, head_size, 0.125f,
                               scores.data());
      for (std::size_t i = 0; i < count; ++i) {
        double expected = 0;
        double magnitude = 0;
        for (std::size_t d = 0; d < head_size; ++d) {
          const double product =
              static_cast<double>(q[d]) * static_cast<double>(HalfToFloat(keys[i * stride + d]));
          expected += 0.125 * product;
          magnitude += 0.125 * std::fabs(product);
        }
        EXPECT_NEAR(static_cast<double>(scores[i]), expected,
                    static_cast<double>(head_size + 2) * kUnitRoundoff * magnitude)
            << "head size " << head_size << ", key " << i << " of " << count;
      }
      EXPECT_EQ(scores[count], 77.0f);
    }
  }
}

TEST_P(AttentionTest, MixAddsWeightedValues) {
  Random random(22);
  for (const std::size_t head_size : kHeadSizes) {
    for (const std::size_t count : {0u, 1u, 2u, 33u}) {
      const std::size_t stride = head_size + 5;
      const auto weights = RandomFloats(random, count);
      const auto values =
          RandomHalves(random, (std::max(count, std::size_t{1}) - 1) * stride + head_size);
      const auto start = RandomFloats(random, head_size);
      auto out = start;
      out.push_back(77.0f);
      table().attention_mix(weights.data(), values.data(), stride, count, head_size, out.data());
      for (std::size_t d = 0; d < head_size; ++d) {
        double expected = static_cast<double>(start[d]);
        double magnitude = std::fabs(expected);
        for (std::size_t i = 0; i < count; ++i) {
          const double product = static_cast<double>(weights[i]) *
                                 static_cast<double>(HalfToFloat(values[i * stride + d]));
          expected += product;
          magnitude += std::fabs(product);
        }
        EXPECT_NEAR(static_cast<double>(out[d]), expected,
                    static_cast<double>(count + 1) * kUnitRoundoff * magnitude)
            << "head size " << head_size << ", " << count << " values, element " << d;
      }
      EXPECT_EQ(out[head_size], 77.0f);
    }
  }
}

// K1 for a cache that is read in pieces: what is added in two calls is what one call adds.
TEST_P(AttentionTest, MixMayBeSplitBetweenBlocks) {
  Random random(23);
  const std::size_t head_size = 80;
  const auto weights = RandomFloats(random, 50);
  const auto values = RandomHalves(random, 50 * head_size);
  std::vector<float> once(head_size, 0.0f);
  std::vector<float> twice(head_size, 0.0f);
  table().attention_mix(weights.data(), values.data(), head_size, 50, head_size, once.data());
  table().attention_mix(weights.data(), values.data(), head_size, 16, head_size, twice.data());
  table().attention_mix(weights.data() + 16, values.data() + 16 * head_size, head_size, 34,
                        head_size, twice.data());
  EXPECT_EQ(once, twice);
}

TEST_P(AttentionTest, AScoreDoesNotDependOnItsNeighbours) {
  Random random(24);
  const std::size_t head_size = 128;
  const auto q = RandomFloats(random, head_size);
  const auto keys = RandomHalves(random, 11 * head_size);
  std::vector<float> all(11);
  std::vector<float> single(11);
  table().attention_scores(q.data(), keys.data(), head_size, 11, head_size, 0.1f, all.data());
  for (std::size_t i = 0; i < 11; ++i) {
    table().attention_scores(q.data(), keys.data() + i * head_size, head_size, 1, head_size, 0.1f,
                             &single[i]);
  }
  EXPECT_EQ(all, single);
}

INSTANTIATE_TEST_SUITE_P(Kernels, AttentionTest, AllTables(), TableName);

}  // namespace
}  // namespace edgemoe
