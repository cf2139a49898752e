// SPDX-License-Identifier: Apache-2.0
#include "engine/base/random.h"

#include <gtest/gtest.h>

#include <array>

namespace edgemoe {
namespace {

// The published first outputs of SplitMix64 for this seed.
TEST(RandomTest, IsSplitMix64) {
  Random random(1234567);
  for (const std::uint64_t expected :
       {6457827717110365317ULL, 3203168211198807973ULL, 9817491932198370423ULL,
        4593380528125082431ULL, 16408922859458223821ULL})
    EXPECT_EQ(random.Next(), expected);
}

TEST(RandomTest, UnitStaysInRangeAndSpreads) {
  Random random(1);
  std::array<int, 10> tenths{};
  for (int i = 0; i < 10000; ++i) {
    const double unit = random.NextUnit();
    ASSERT_GE(unit, 0.0);
    ASSERT_LT(unit, 1.0);
    ++tenths[static_cast<std::size_t>(unit * 10)];
  }
  for (const int count : tenths) EXPECT_NEAR(count, 1000, 150);  // 5 standard deviations
}

TEST(RandomTest, BelowReachesEveryValueAndNoMore) {
  Random random(2);
  std::array<int, 7> seen{};
  for (int i = 0; i < 1000; ++i) ++seen.at(random.NextBelow(7));
  for (const int count : seen) EXPECT_GT(count, 0);
  EXPECT_EQ(random.NextBelow(1), 0u);
}

}  // namespace
}  // namespace edgemoe
