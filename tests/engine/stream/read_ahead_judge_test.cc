// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "engine/stream/read_ahead/judge.h"

namespace edgemoe {
namespace {

constexpr std::uint32_t kTrialSteps = ReadAheadJudge::kBlockSteps * ReadAheadJudge::kBlocks;

// Steps take `on_ns` with and `off_ns` without reading ahead; how many of them had it on.
std::uint32_t RunSteps(ReadAheadJudge& judge, std::uint32_t count, std::uint64_t on_ns,
                       std::uint64_t off_ns, std::uint32_t rows = 1) {
  std::uint32_t on_count = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    const bool on = judge.on();
    on_count += on;
    judge.EndStep(on ? on_ns : off_ns, rows, /*read_any=*/true);
  }
  return on_count;
}

// The first step tells the number of rows only.
void RunTrial(ReadAheadJudge& judge, std::uint64_t on_ns, std::uint64_t off_ns) {
  const std::uint64_t before = judge.trials();
  RunSteps(judge, kTrialSteps + 1, on_ns, off_ns);
  ASSERT_EQ(judge.trials(), before + 1);
}

TEST(ReadAheadJudgeTest, KeepsWhatIsFaster) {
  ReadAheadJudge judge;
  EXPECT_TRUE(judge.on());
  RunTrial(judge, 90, 100);
  EXPECT_TRUE(judge.verdict_on());
  EXPECT_EQ(RunSteps(judge, 100, 90, 100), 100u);
}

TEST(ReadAheadJudgeTest, SwitchesOffWhatLoses) {
  ReadAheadJudge judge;
  RunTrial(judge, 110, 100);
  EXPECT_FALSE(judge.verdict_on());
  EXPECT_EQ(RunSteps(judge, 100, 110, 100), 0u);
}

TEST(ReadAheadJudgeTest, ATrialGivesBothWaysTheSameNumberOfSteps) {
  ReadAheadJudge judge;
  EXPECT_EQ(RunSteps(judge, kTrialSteps + 1, 100, 100), kTrialSteps / 2 + 1);
}

TEST(ReadAheadJudgeTest, OneSlowStepDecidesNothing) {
  ReadAheadJudge judge;
  for (std::uint32_t i = 0; i <= kTrialSteps; ++i)
    judge.EndStep(i == 3 ? 1'000'000 : (judge.on() ? 90 : 100), 1, true);
  EXPECT_TRUE(judge.verdict_on());
}

TEST(ReadAheadJudgeTest, TriesAgainAndRarerWhileTheVerdictStands) {
  ReadAheadJudge judge;
  std::uint64_t settled = ReadAheadJudge::kSettleMin;
  for (int trial = 0; trial < 8; ++trial) {
    RunTrial(judge, 110, 100);
    EXPECT_EQ(RunSteps(judge, static_cast<std::uint32_t>(settled), 110, 100), 0u) << trial;
    EXPECT_TRUE(judge.on()) << "a new trial begins";
    settled = std::min<std::uint64_t>(settled * 2, ReadAheadJudge::kSettleMax);
  }
  RunTrial(judge, 90, 100);
  EXPECT_TRUE(judge.verdict_on()) << "storage may change";
  RunSteps(judge, ReadAheadJudge::kSettleMin, 90, 100);
  RunTrial(judge, 90, 100);
}

TEST(ReadAheadJudgeTest, RestsWhileNothingIsRead) {
  ReadAheadJudge judge;
  for (std::uint32_t i = 0; i < ReadAheadJudge::kRestAfter; ++i) {
    EXPECT_TRUE(judge.on());
    judge.EndStep(100, 1, /*read_any=*/false);
  }
  EXPECT_FALSE(judge.on());
  judge.EndStep(100, 1, /*read_any=*/true);
  EXPECT_TRUE(judge.on());
}

TEST(ReadAheadJudgeTest, BatchesOfOtherSizesAreNotCompared) {
  ReadAheadJudge judge;
  for (std::uint32_t i = 0; i < 100; ++i) RunSteps(judge, kTrialSteps - 1, 100, 100, 1 + i % 2);
  EXPECT_EQ(judge.trials(), 0u);
}

}  // namespace
}  // namespace edgemoe
