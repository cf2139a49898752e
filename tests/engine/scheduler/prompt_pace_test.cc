// SPDX-License-Identifier: Apache-2.0
#include "engine/scheduler/prompt_pace.h"

#include <gtest/gtest.h>

namespace edgemoe {
namespace {

constexpr std::uint64_t kMs = 1'000'000;

TEST(PromptPaceTest, APromptAloneTakesTheLargestChunk) {
  PromptPace pace(512);
  EXPECT_EQ(pace.ChunkTokens(/*others_decode=*/false), 512u);
  pace.OnStep(512, 900 * kMs, 0);
  EXPECT_EQ(pace.ChunkTokens(false), 512u);
}

TEST(PromptPaceTest, BesideOthersItComputesAsLongAsItWaits) {
  PromptPace pace(512);
  EXPECT_EQ(pace.ChunkTokens(/*others_decode=*/true), 64u);
  // 64 tokens: 64 ms of work, 200 ms of waiting.
  pace.OnStep(64, 264 * kMs, 200 * kMs);
  EXPECT_EQ(pace.ChunkTokens(true), 200u);
  // More waiting, but never beyond the largest.
  for (int i = 0; i < 10; ++i) pace.OnStep(200, 5'200 * kMs, 5'000 * kMs);
  EXPECT_EQ(pace.ChunkTokens(true), 512u);
  // All experts are in memory.
  for (int i = 0; i < 40; ++i) pace.OnStep(512, 512 * kMs, 0);
  EXPECT_EQ(pace.ChunkTokens(true), 64u);
}

TEST(PromptPaceTest, ShortRestsTeachNothing) {
  PromptPace pace(512);
  pace.OnStep(64, 264 * kMs, 200 * kMs);
  pace.OnStep(3, 2 * kMs, 0);
  EXPECT_EQ(pace.ChunkTokens(true), 200u);
}

TEST(PromptPaceTest, ASmallLargestChunkIsAlwaysTaken) {
  PromptPace pace(8);
  EXPECT_EQ(pace.ChunkTokens(true), 8u);
  pace.OnStep(8, 100, 100);
  EXPECT_EQ(pace.ChunkTokens(true), 8u);
  EXPECT_EQ(pace.ChunkTokens(false), 8u);
}

}  // namespace
}  // namespace edgemoe
