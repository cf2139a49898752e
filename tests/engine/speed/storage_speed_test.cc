// SPDX-License-Identifier: Apache-2.0
#include "engine/speed/storage_speed.h"

#include <gtest/gtest.h>

namespace edgemoe {
namespace {

// 1 MiB/s at 1, 4 at 4 reads of 64 KiB in flight; twice that for reads of 1 MiB.
StorageSpeed Measured() {
  constexpr double kMiB = 1 << 20;
  return StorageSpeed({{1 << 20, 4, 8 * kMiB},
                       {64 << 10, 1, 1 * kMiB},
                       {64 << 10, 4, 4 * kMiB},
                       {1 << 20, 1, 2 * kMiB}});
}

TEST(StorageSpeedTest, WhatWasMeasuredIsGiven) {
  const StorageSpeed speed = Measured();
  EXPECT_DOUBLE_EQ(speed.BytesPerSecond(64 << 10, 1), 1 << 20);
  EXPECT_DOUBLE_EQ(speed.BytesPerSecond(64 << 10, 4), 4 << 20);
  EXPECT_DOUBLE_EQ(speed.BytesPerSecond(1 << 20, 4), 8 << 20);
}

TEST(StorageSpeedTest, BetweenPointsByLogarithmsAndBeyondThemTheNearest) {
  const StorageSpeed speed = Measured();
  EXPECT_DOUBLE_EQ(speed.BytesPerSecond(64 << 10, 2), 2.5 * (1 << 20));
  EXPECT_DOUBLE_EQ(speed.BytesPerSecond(256 << 10, 1), 1.5 * (1 << 20));
  EXPECT_DOUBLE_EQ(speed.BytesPerSecond(4096, 0.5), 1 << 20);
  EXPECT_DOUBLE_EQ(speed.BytesPerSecond(8 << 20, 64), 8 << 20);
}

TEST(StorageSpeedTest, AMomentOfOthersDoesNotCount) {
  const StorageSpeed speed(
      {{64 << 10, 1, 100}, {64 << 10, 4, 50}, {1 << 20, 1, 10}, {1 << 20, 4, 300}});
  EXPECT_EQ(speed.BytesPerSecond(64 << 10, 4), 100);
  EXPECT_EQ(speed.BytesPerSecond(1 << 20, 1), 100);
  EXPECT_EQ(speed.BytesPerSecond(1 << 20, 4), 300);
}

TEST(StorageSpeedTest, ABurstTakesItsBytesAtTheSpeedOfItsDepth) {
  const StorageSpeed speed = Measured();
  EXPECT_EQ(speed.BurstSeconds(1 << 20, 0), 0);
  EXPECT_DOUBLE_EQ(speed.BurstSeconds(1 << 20, 1), 0.5);
  EXPECT_DOUBLE_EQ(speed.BurstSeconds(1 << 20, 4), 0.5);
  EXPECT_DOUBLE_EQ(speed.BurstSeconds(1 << 20, 8), 1);
}

}  // namespace
}  // namespace edgemoe
