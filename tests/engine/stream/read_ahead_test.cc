// SPDX-License-Identifier: Apache-2.0
// What the pipeline does with guesses.
#include <gtest/gtest.h>

#include "tests/engine/stream/pipeline_fixture.h"

namespace edgemoe {
namespace {

constexpr ExpertLayerIndex kFirst{0};
constexpr ExpertLayerIndex kSecond{1};

class ReadAheadTest : public testing::Test {
 protected:
  static PipelineStack::Options Options(std::uint64_t slab_bytes = 64u << 20) {
    // Requests of a whole expert; storage whose time is the fake clock's.
    return {.slab_bytes = slab_bytes,
            .request_bytes_max = 1u << 20,
            .look_ahead = LookAhead::kRouter,
            .bytes_per_second = 10'000'000};
  }

  static RoutedRow Row(std::span<const ExpertChoice> choices) {
    return {.request = RequestId{1}, .session = SessionSlot{0}, .choices = choices};
  }

  // Layer 0 wants its experts 0 and 1 and guesses that layer 1 will want 2 and 3.
  static void RunFirstLayer(PipelineStack& stack) {
    static constexpr std::array kChosen{ExpertChoice{0, 0.5F}, ExpertChoice{1, 0.5F}};
    static constexpr std::array kGuessed{ExpertChoice{2, 0.7F}, ExpertChoice{3, 0.3F}};
    const std::array rows{Row(kChosen)};
    const std::array guesses{Row(kGuessed)};
    stack.pipeline->BeginStep();
    stack.pipeline->Begin(kFirst, rows, Experts({0, 1}));
    ASSERT_EQ(stack.pipeline->guesses_wanted(kSecond), 2 * kTopK);
    stack.pipeline->Guess(kSecond, guesses);
    std::array<ReadyExpert, 1> ready;
    while (const std::size_t count = stack.pipeline->NextReady(ready))
      stack.pipeline->Release(std::span(ready).first(count));
  }

  // Attention: time in which guesses land.
  static void PassTime(PipelineStack& stack) {
    for (int i = 0; i < 100; ++i) {
      stack.clock.Advance(1'000'000);
      stack.pipeline->Advance();
    }
  }
};

TEST_F(ReadAheadTest, WhatWasGuessedRightNeedsNoWaiting) {
  PipelineStack stack(Options());
  RunFirstLayer(stack);
  PassTime(stack);
  const std::uint64_t wait_ns = stack.pipeline->account().wait_ns;
  EXPECT_EQ(stack.RunLayer(1, Experts({2, 3})).size(), 2u);
  EXPECT_EQ(stack.pipeline->account().wait_ns, wait_ns);
  const ReadAheadStats& stats = stack.pipeline->read_ahead();
  EXPECT_EQ(stats.guessed_at_k, 2u);
  EXPECT_EQ(stats.guessed_at_2k, 2u);
  EXPECT_EQ(stats.wanted, 2u);
  EXPECT_EQ(stats.used_experts, 2u);
  EXPECT_EQ(stats.wasted_experts, 0u);
  EXPECT_GT(stats.saved_ns, 0u);
}

TEST_F(ReadAheadTest, WrongGuessesAreAccountedAndHarmNothing) {
  PipelineStack stack(Options());
  RunFirstLayer(stack);
  PassTime(stack);
  EXPECT_EQ(stack.RunLayer(1, Experts({2, 7})).size(), 2u);
  const ReadAheadStats& stats = stack.pipeline->read_ahead();
  EXPECT_EQ(stats.guessed_at_k, 1u);
  EXPECT_EQ(stats.used_experts, 1u);
  EXPECT_EQ(stats.wasted_experts, 1u);
  EXPECT_EQ(stack.cache.counters().pinned_count, 0u) << "nothing stays held";
}

TEST_F(ReadAheadTest, UnlikelyGuessesAreNotRead) {
  PipelineStack stack(Options());
  static constexpr std::array kChosen{ExpertChoice{0, 1.0F}};
  static constexpr std::array kGuessed{ExpertChoice{2, 0.5F}, ExpertChoice{3, 0.3F},
                                       ExpertChoice{4, 0.2F}};
  const std::array rows{Row(kChosen)};
  const std::array guesses{Row(kGuessed)};
  stack.RunLayer(0, Experts({0}));
  stack.pipeline->BeginStep();
  stack.pipeline->Begin(kFirst, rows, Experts({0}));
  stack.pipeline->Guess(kSecond, guesses);
  stack.pipeline->Abandon();
  PassTime(stack);
  EXPECT_NE(stack.cache.state({kSecond, ExpertIndex{3}}), ExpertState::kAbsent);
  EXPECT_EQ(stack.cache.state({kSecond, ExpertIndex{4}}), ExpertState::kAbsent);
  stack.RunLayer(1, Experts({2, 4}));
  EXPECT_EQ(stack.pipeline->read_ahead().guessed_at_k, 1u);
  EXPECT_EQ(stack.pipeline->read_ahead().guessed_at_2k, 2u);
}

TEST_F(ReadAheadTest, GuessesWaitUntilNoDemandIsOnItsWay) {
  PipelineStack stack(Options());
  static constexpr std::array kChosen{ExpertChoice{0, 1.0F}};
  static constexpr std::array kGuessed{ExpertChoice{2, 1.0F}};
  const std::array rows{Row(kChosen)};
  const std::array guesses{Row(kGuessed)};
  stack.pipeline->BeginStep();
  stack.pipeline->Begin(kFirst, rows, Experts({0}));
  stack.pipeline->Guess(kSecond, guesses);
  EXPECT_EQ(stack.cache.state({kFirst, ExpertIndex{0}}), ExpertState::kLoading);
  EXPECT_EQ(stack.cache.state({kSecond, ExpertIndex{2}}), ExpertState::kAbsent);
  std::array<ReadyExpert, 1> ready;
  ASSERT_EQ(stack.pipeline->NextReady(ready), 1u);
  EXPECT_EQ(stack.cache.state({kSecond, ExpertIndex{2}}), ExpertState::kLoading)
      << "the disk is idle while the expert is computed";
  stack.pipeline->Release(ready);
  EXPECT_EQ(stack.pipeline->NextReady(ready), 0u);
}

TEST_F(ReadAheadTest, ADemandJoinsAGuessInFlight) {
  PipelineStack stack(Options());
  RunFirstLayer(stack);
  EXPECT_EQ(stack.cache.state({kSecond, ExpertIndex{2}}), ExpertState::kLoading);
  EXPECT_EQ(stack.RunLayer(1, Experts({2})).size(), 1u);
  EXPECT_EQ(stack.cache.counters().joins, 1u);
  EXPECT_EQ(stack.pipeline->read_ahead().used_experts, 1u);
}

TEST_F(ReadAheadTest, GuessedResidentsAreNotEvicted) {
  // Room for one token's demand: layers 0 and 1 share slots.
  PipelineStack stack(Options(/*slab_bytes=*/0));
  ASSERT_EQ(stack.slab.slot_count(0), 2 * kTopK);
  stack.RunLayer(1, Experts({2}));  // the oldest: next to be evicted
  stack.RunLayer(1, Experts({3}));
  stack.RunLayer(0, Experts({0, 1}));
  static constexpr std::array kChosen{ExpertChoice{0, 0.5F}, ExpertChoice{1, 0.5F}};
  static constexpr std::array kGuessed{ExpertChoice{7, 0.7F}, ExpertChoice{2, 0.3F}};
  const std::array rows{Row(kChosen)};
  const std::array guesses{Row(kGuessed)};
  stack.pipeline->BeginStep();
  stack.pipeline->Begin(kFirst, rows, Experts({0, 1}));
  stack.pipeline->Guess(kSecond, guesses);
  EXPECT_EQ(stack.cache.state({kSecond, ExpertIndex{7}}), ExpertState::kLoading);
  EXPECT_EQ(stack.cache.state({kSecond, ExpertIndex{2}}), ExpertState::kResident);
  EXPECT_EQ(stack.cache.state({kSecond, ExpertIndex{3}}), ExpertState::kAbsent);
  stack.pipeline->Abandon();
}

TEST_F(ReadAheadTest, NoGuessesForPrompts) {
  PipelineStack stack(Options());
  static constexpr std::array kChosen{ExpertChoice{0, 1.0F}};
  RoutedRow row = Row(kChosen);
  row.phase = RoutingPhase::kPrefill;
  stack.pipeline->BeginStep();
  stack.pipeline->Begin(kFirst, std::span(&row, 1), Experts({0}));
  EXPECT_EQ(stack.pipeline->guesses_wanted(kSecond), 0u);
  stack.pipeline->Abandon();
}

TEST_F(ReadAheadTest, WithoutKeepingEveryUseIsARead) {
  PipelineStack::Options options = Options();
  options.keep_experts = false;
  options.look_ahead = LookAhead::kNone;
  PipelineStack stack(options);
  for (int round = 0; round < 3; ++round) stack.RunLayer(0, Experts({0, 1}));
  EXPECT_EQ(stack.pipeline->account().hits, 0u);
  EXPECT_EQ(stack.cache.counters().insertions, 6u);
  EXPECT_EQ(stack.cache.counters().resident_count, 0u);
}

}  // namespace
}  // namespace edgemoe
