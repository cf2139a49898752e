// SPDX-License-Identifier: Apache-2.0
#include "download/http/retry.h"

#include <gtest/gtest.h>

namespace edgemoe {
namespace {

TEST(RetryTest, WaitsLongerAndGivesUp) {
  RetrySchedule schedule(
      {.attempts_max = 5, .first_wait_ms = 1000, .wait_max_ms = 3000, .wait = {}});
  for (const std::uint64_t step : {1000u, 2000u, 3000u, 3000u}) {
    const std::optional<std::uint64_t> wait = schedule.NextWaitMs(std::nullopt);
    ASSERT_TRUE(wait);
    EXPECT_GE(*wait, step / 2);
    EXPECT_LE(*wait, step);
  }
  EXPECT_FALSE(schedule.NextWaitMs(std::nullopt));
  schedule.Progressed();
  EXPECT_LE(schedule.NextWaitMs(std::nullopt).value(), 1000u);
}

TEST(RetryTest, DoesWhatTheServerAsks) {
  RetrySchedule schedule({.retry_after_max_s = 600, .wait = {}});
  EXPECT_EQ(schedule.NextWaitMs(600), 600'000u);
  EXPECT_FALSE(schedule.NextWaitMs(601));
}

}  // namespace
}  // namespace edgemoe
