// SPDX-License-Identifier: Apache-2.0
#include "engine/stream/pipeline/expert_pipeline.h"

#include <gtest/gtest.h>

#include <array>
#include <set>

#include "engine/base/random.h"
#include "tests/engine/stream/pipeline_fixture.h"

namespace edgemoe {
namespace {

std::vector<std::uint32_t> Indices(const std::vector<ReadyExpert>& given) {
  std::vector<std::uint32_t> indices;
  for (const ReadyExpert& expert : given) indices.push_back(expert.expert.value);
  return indices;
}

TEST(ExpertPipelineTest, ReadsOnceThenHits) {
  PipelineStack stack({});
  EXPECT_EQ(stack.RunLayer(2, Experts({3, 6})).size(), 2u);
  const std::uint64_t bytes_read = stack.pipeline->account().bytes_read;
  EXPECT_GE(bytes_read, 2u * (70'400 + 2 * 17'600));
  EXPECT_EQ(stack.pipeline->account().hits, 0u);
  EXPECT_EQ(Indices(stack.RunLayer(2, Experts({6, 3}))), (std::vector<std::uint32_t>{6, 3}));
  EXPECT_EQ(stack.pipeline->account().hits, 2u);
  EXPECT_EQ(stack.pipeline->account().experts_used, 4u);
  EXPECT_EQ(stack.pipeline->account().bytes_read, bytes_read);
}

TEST(ExpertPipelineTest, NothingWantedNothingGiven) {
  PipelineStack stack({});
  EXPECT_TRUE(stack.RunLayer(0, {}).empty());
  std::array<ReadyExpert, 1> ready;
  EXPECT_EQ(stack.pipeline->NextReady(ready), 0u);
}

TEST(ExpertPipelineTest, ResidentsComeFirst) {
  PipelineStack stack({.slab_bytes = SlabBytesMax(*SlotClassesOf(MakeLayout(), kTopK))});
  stack.RunLayer(0, Experts({5, 7}));
  const auto order = Indices(stack.RunLayer(0, Experts({0, 5, 1, 7})));
  EXPECT_EQ(order[0], 5u);
  EXPECT_EQ(order[1], 7u);
}

TEST(ExpertPipelineTest, EverythingFitsAndStays) {
  PipelineStack stack({.slab_bytes = SlabBytesMax(*SlotClassesOf(MakeLayout(), kTopK))});
  for (int round = 0; round < 3; ++round)
    for (std::uint32_t layer = 0; layer < kLayers; ++layer)
      EXPECT_EQ(stack.RunLayer(layer, AllExperts(), 4).size(), kExperts);
  EXPECT_EQ(stack.cache.counters().misses, kLayers * kExperts);
  EXPECT_EQ(stack.cache.counters().evictions, 0u);
  EXPECT_EQ(stack.pipeline->account().hits, 2 * kLayers * kExperts);
}

// At the least budget a layer that wants all its experts is served in waves.
TEST(ExpertPipelineTest, AllExpertsInWavesAtTheLeastBudget) {
  for (const char* backend : {"pread", "auto"}) {
    PipelineStack stack({.depth = 4, .backend = backend});
    ASSERT_LT(stack.slab.slot_count(0), kExperts);
    for (int round = 0; round < 2; ++round)
      for (std::uint32_t layer = 0; layer < kLayers; ++layer) {
        const auto given = stack.RunLayer(layer, AllExperts());
        std::set<std::uint32_t> distinct;
        for (const ReadyExpert& expert : given) {
          EXPECT_TRUE(expert.status.ok());
          distinct.insert(expert.expert.value);
        }
        EXPECT_EQ(given.size(), kExperts);
        EXPECT_EQ(distinct.size(), kExperts);
      }
    EXPECT_EQ(stack.cache.counters().pinned_count, 0u);
  }
}

// One token's demand of every layer: the next token finds it all.
TEST(ExpertPipelineTest, LeastBudgetStillHits) {
  PipelineStack stack({});
  for (int token = 0; token < 3; ++token)
    for (std::uint32_t layer = 0; layer < kLayers; ++layer)
      stack.RunLayer(layer, Experts({2, 4}), 2);
  EXPECT_EQ(stack.pipeline->account().hits, 2 * kLayers * kTopK);
}

TEST(ExpertPipelineTest, AllMissingReadsAreIssuedAtBegin) {
  PipelineStack stack(
      {.slab_bytes = SlabBytesMax(*SlotClassesOf(MakeLayout(), kTopK)), .depth = 64});
  stack.pipeline->Begin(ExpertLayerIndex{0}, {}, Experts({0, 1, 2, 3}));
  EXPECT_EQ(stack.reader->in_flight(), 4u * 3);
  stack.pipeline->Abandon();
}

TEST(ExpertPipelineTest, AbandonedReadsLandInTheCache) {
  PipelineStack stack({.depth = 4});
  stack.pipeline->Begin(ExpertLayerIndex{1}, {}, Experts({0, 1}));
  stack.pipeline->Abandon();
  std::array<ReadyExpert, 4> ready;
  EXPECT_EQ(stack.pipeline->NextReady(ready), 0u);
  // The next layer's experts come in between, then the abandoned ones: at most one of them had
  // begun to be read when the reader was full, and it is not read again.
  stack.RunLayer(0, Experts({0, 1}));
  const std::uint64_t misses = stack.cache.counters().misses;
  stack.RunLayer(1, Experts({0, 1}));
  EXPECT_LT(stack.cache.counters().misses, misses + 2);
}

TEST(ExpertPipelineTest, BeginJoinsAnAbandonedRead) {
  PipelineStack stack({.faults = "late:calls=1000"});
  stack.pipeline->Begin(ExpertLayerIndex{0}, {}, Experts({4}));
  stack.pipeline->Abandon();
  EXPECT_EQ(stack.RunLayer(0, Experts({4})).size(), 1u);
  EXPECT_EQ(stack.cache.counters().joins, 1u);
  EXPECT_EQ(stack.cache.counters().insertions, 1u);
}

TEST(ExpertPipelineTest, GivenExpertsSurviveAbandon) {
  PipelineStack stack({});
  stack.pipeline->Begin(ExpertLayerIndex{0}, {}, Experts({0, 1}));
  std::array<ReadyExpert, 1> ready;
  ASSERT_EQ(stack.pipeline->NextReady(ready), 1u);
  stack.pipeline->Abandon();
  stack.Check(ready[0], ExpertLayerIndex{0});
  EXPECT_EQ(stack.cache.counters().pinned_count, 1u);
  stack.pipeline->Release(ready);
  EXPECT_EQ(stack.cache.counters().pinned_count, 0u);
}

TEST(ExpertPipelineTest, DestructionWithReadsInFlight) {
  PipelineStack stack({.depth = 4});
  stack.pipeline->Begin(ExpertLayerIndex{2}, {}, AllExperts());
  stack.pipeline.reset();
  EXPECT_EQ(stack.cache.counters().loading_count, 0u);
  EXPECT_EQ(stack.cache.counters().pinned_count, 0u);
  EXPECT_EQ(stack.reader->in_flight(), 0u);
}

TEST(ExpertPipelineTest, AskingForMoreWithoutReleasingIsABug) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  PipelineStack stack({});
  stack.pipeline->Begin(ExpertLayerIndex{0}, {}, AllExperts());
  std::array<ReadyExpert, 1> ready;
  const auto take_without_release = [&] {
    while (stack.pipeline->NextReady(ready) > 0) {
    }
  };
  EXPECT_DEATH(take_without_release(), "every slot is pinned");
  stack.pipeline->Abandon();
}

// In this clock's time nothing but waiting for storage takes time.
TEST(ExpertPipelineTest, WaitingIsAccounted) {
  PipelineStack stack({.bytes_per_second = 10'000'000});
  stack.RunLayer(0, Experts({0, 1}));
  const std::uint64_t wait_ns = stack.pipeline->account().wait_ns;
  EXPECT_EQ(wait_ns, stack.clock.NowNs());
  EXPECT_GE(wait_ns, stack.pipeline->account().bytes_read * 100);
  stack.RunLayer(0, Experts({0, 1}));
  EXPECT_EQ(stack.pipeline->account().wait_ns, wait_ns) << "hits do not wait";
}

}  // namespace
}  // namespace edgemoe
