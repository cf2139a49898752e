// SPDX-License-Identifier: Apache-2.0
#include "engine/speed/speed_history.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <iterator>

#include "tests/support/child_process.h"

namespace edgemoe {
namespace {

class SpeedHistoryTest : public testing::Test {
 protected:
  void Spoil(const std::string& text) { std::ofstream(history_.path(), std::ios::trunc) << text; }
  std::string Content() {
    std::ifstream file(history_.path());
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

  const TempFolder folder_;
  const SpeedHistory history_{folder_ / "state"};
};

TEST_F(SpeedHistoryTest, KeepsTheLastPairs) {
  EXPECT_TRUE(history_.Read().empty());
  for (std::size_t i = 1; i <= kSpeedPairsMax + 3; ++i)
    ASSERT_TRUE(history_.Add({.expected = 10, .measured = static_cast<double>(i)}).ok());
  const std::vector<SpeedPair> pairs = history_.Read();
  ASSERT_EQ(pairs.size(), kSpeedPairsMax);
  EXPECT_EQ(pairs.front(), (SpeedPair{10, 4}));
  EXPECT_EQ(pairs.back(), (SpeedPair{10, kSpeedPairsMax + 3}));
}

TEST_F(SpeedHistoryTest, WhatIsNoSpeedIsRefused) {
  for (const double wrong : {0.0, -1.0, std::nan(""), HUGE_VAL}) {
    EXPECT_EQ(history_.Add({.expected = wrong, .measured = 1}).code(),
              StatusCode::kInvalidArgument);
    EXPECT_EQ(history_.Add({.expected = 1, .measured = wrong}).code(),
              StatusCode::kInvalidArgument);
  }
  EXPECT_TRUE(history_.Read().empty());
}

TEST_F(SpeedHistoryTest, ASpoiltOrForeignFileIsIgnoredAndReplaced) {
  ASSERT_TRUE(history_.Add({.expected = 8, .measured = 9}).ok());
  const std::string good = Content();
  for (std::size_t length = 0; length + 2 < good.size(); length += 5) {
    Spoil(good.substr(0, length));
    EXPECT_TRUE(history_.Read().empty()) << length;
  }
  const auto with = [&good](std::string_view from, std::string_view to) {
    std::string text = good;
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  };
  for (const std::string& text :
       {with("\"version\": 1", "\"version\": 9"), with("\"processor\": \"", "\"processor\": \"x"),
        with("8.0", "0"), with("8.0", "\"x\""), with("\"pairs\"", "\"none\""), std::string("[]")}) {
    Spoil(text);
    EXPECT_TRUE(history_.Read().empty()) << text;
  }
  ASSERT_TRUE(history_.Add({.expected = 1, .measured = 2}).ok());
  EXPECT_EQ(history_.Read(), (std::vector<SpeedPair>{{1, 2}}));
}

TEST_F(SpeedHistoryTest, TheLastOfAModelTellsItsRouting) {
  EXPECT_FALSE(MissExponentOf(history_.Read(), "7"));
  ASSERT_TRUE(history_.Add({.expected = 1, .measured = 2, .model = "7", .miss_exponent = 4}).ok());
  ASSERT_TRUE(history_.Add({.expected = 1, .measured = 2, .model = "7", .miss_exponent = 5}).ok());
  ASSERT_TRUE(history_.Add({.expected = 1, .measured = 2, .model = "7"}).ok());
  ASSERT_TRUE(history_.Add({.expected = 1, .measured = 2, .model = "8", .miss_exponent = 6}).ok());
  EXPECT_EQ(MissExponentOf(history_.Read(), "7"), 5);
  EXPECT_EQ(MissExponentOf(history_.Read(), "8"), 6);
  EXPECT_FALSE(MissExponentOf(history_.Read(), "9"));
}

TEST(SpeedBarTest, TheDefaultUntilThereArePairs) {
  const std::vector<SpeedPair> few(kSpeedPairsMin - 1, SpeedPair{1, 5});
  const SpeedBar bar = BarOf(few);
  EXPECT_EQ(bar.low, kDefaultSpeedBar.low);
  EXPECT_EQ(bar.high, kDefaultSpeedBar.high);
  EXPECT_EQ(bar.pair_count, 0u);
}

TEST(SpeedBarTest, FromTheTenthToTheNinetiethPercentile) {
  std::vector<SpeedPair> pairs;
  for (int i = 0; i <= 10; ++i) pairs.push_back({2, 2 * (0.5 + 0.1 * i)});  // 0.5 to 1.5
  const SpeedBar bar = BarOf(pairs);
  EXPECT_DOUBLE_EQ(bar.low, 0.6);
  EXPECT_DOUBLE_EQ(bar.high, 1.4);
  EXPECT_EQ(bar.pair_count, 11u);
}

TEST(SpeedBarTest, TheEstimateIsAlwaysWithin) {
  const SpeedBar fast = BarOf(std::vector<SpeedPair>(8, SpeedPair{1, 2}));
  EXPECT_EQ(fast.low, 1);
  EXPECT_EQ(fast.high, 2);
  const SpeedBar slow = BarOf(std::vector<SpeedPair>(8, SpeedPair{2, 1}));
  EXPECT_EQ(slow.low, 0.5);
  EXPECT_EQ(slow.high, 1);
}

}  // namespace
}  // namespace edgemoe
