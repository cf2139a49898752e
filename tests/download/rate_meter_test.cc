// SPDX-License-Identifier: Apache-2.0
#include "download/transfer/rate_meter.h"

#include <gtest/gtest.h>

namespace edgemoe {
namespace {

TEST(RateMeterTest, TellsTheSpeedOfTheLastSeconds) {
  RateMeter meter;
  EXPECT_TRUE(meter.Add(0, 0));
  EXPECT_EQ(meter.BytesPerSecond(), 0);
  EXPECT_FALSE(meter.Add(RateMeter::kSpacingNs - 1, 100));
  EXPECT_TRUE(meter.Add(1'000'000'000, 100));
  EXPECT_EQ(meter.BytesPerSecond(), 100);
  // A hundred seconds at ten times the speed: the first one is forgotten.
  std::uint64_t bytes = 100;
  for (std::uint64_t second = 2; second < 102; ++second)
    EXPECT_TRUE(meter.Add(second * 1'000'000'000, bytes += 1000));
  EXPECT_EQ(meter.BytesPerSecond(), 1000);
  for (std::uint64_t second = 102; second < 202; ++second)
    EXPECT_TRUE(meter.Add(second * 1'000'000'000, bytes));
  EXPECT_EQ(meter.BytesPerSecond(), 0);
}

}  // namespace
}  // namespace edgemoe
