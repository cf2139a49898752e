// SPDX-License-Identifier: Apache-2.0
// The pipeline over storage that fails, delays and reorders.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "engine/base/random.h"
#include "engine/base/system/aligned_buffer.h"
#include "tests/engine/stream/pipeline_fixture.h"

namespace edgemoe {
namespace {

using testing::HasSubstr;

TEST(ExpertPipelineFaultTest, FailedExpertNamesWhatAndWhereAndIsReadAgain) {
  const ExpertLayout layout = MakeLayout();
  const ExpertExtent& down = layout.of({ExpertLayerIndex{2}, ExpertIndex{5}})[2];
  const std::string faults = "eio:begin=" + std::to_string(down.offset + 8192) +
                             ",end=" + std::to_string(down.offset + 8193) + ",count=1";
  PipelineStack stack({.faults = faults});
  const auto given = stack.RunLayer(2, Experts({5}));
  ASSERT_EQ(given.size(), 1u);
  EXPECT_EQ(given[0].status.code(), StatusCode::kDataLoss);
  EXPECT_THAT(given[0].status.message(), HasSubstr("expert 5 of layer 2, down: "));
  EXPECT_THAT(given[0].status.message(),
              HasSubstr("offset " + std::to_string(AlignDown(down.offset, kReadAlignment))));
  EXPECT_EQ(stack.cache.state({ExpertLayerIndex{2}, ExpertIndex{5}}), ExpertState::kAbsent);
  EXPECT_EQ(stack.pipeline->account().experts_used, 0u);

  const auto again = stack.RunLayer(2, Experts({5}));
  EXPECT_TRUE(again[0].status.ok());
}

TEST(ExpertPipelineFaultTest, OnlyTheBrokenExpertFails) {
  const ExpertLayout layout = MakeLayout();
  const ExpertExtent& up = layout.of({ExpertLayerIndex{1}, ExpertIndex{3}})[1];
  // In the middle of the matrix: its neighbours' blocks are not touched.
  const std::string faults =
      "eio:begin=" + std::to_string(up.offset + 8192) + ",end=" + std::to_string(up.offset + 8193);
  // One block a request, so that no other expert's read touches the broken one.
  PipelineStack stack({.faults = faults, .request_bytes_max = kReadAlignment});
  for (int round = 0; round < 3; ++round) {
    for (const ReadyExpert& expert : stack.RunLayer(1, AllExperts()))
      EXPECT_EQ(expert.status.ok(), expert.expert.value != 3) << expert.status.ToString();
  }
  EXPECT_EQ(stack.cache.counters().failures, 3u);
}

TEST(ExpertPipelineFaultTest, DeadStorageFailsEverythingAndLeaksNothing) {
  for (const char* faults : {"eio", "busy", "eof;late:calls=3;shuffle"}) {
    PipelineStack stack({.faults = faults});
    for (int round = 0; round < 5; ++round)
      for (std::uint32_t layer = 0; layer < kLayers; ++layer)
        for (const ReadyExpert& expert : stack.RunLayer(layer, AllExperts(), 3))
          EXPECT_EQ(expert.status.code(), StatusCode::kDataLoss);
    EXPECT_EQ(stack.cache.counters().resident_count, 0u);
    EXPECT_EQ(stack.slab.free_count(0), stack.slab.slot_count(0));
    EXPECT_EQ(stack.slab.free_count(1), stack.slab.slot_count(1));
  }
}

// Any budget, depth, request size, interleaving and fault: what is given as OK is what the file
// holds, every expert is given exactly once, and in the end nothing is pinned or loading.
void RunRandomly(std::uint64_t seed) {
  Random random(seed);
  const SlotClasses classes = *SlotClassesOf(MakeLayout(), kTopK);
  const std::uint64_t least = SlabBytesMin(classes);
  std::string faults = "random:seed=" + std::to_string(seed);
  if (random.NextBelow(2) == 0) faults += ";shuffle";
  if (random.NextBelow(2) == 0) faults += ";late:calls=" + std::to_string(1 + random.NextBelow(20));
  if (random.NextBelow(2) == 0) faults += ";short:every=3";
  if (random.NextBelow(2) == 0) faults += ";eio:every=" + std::to_string(5 + random.NextBelow(95));
  const bool may_fail = faults.find("eio") != std::string::npos;
  PipelineStack stack(
      {.slab_bytes = least + random.NextBelow(SlabBytesMax(classes) - least + 1),
       .faults = faults,
       .depth = 1 + random.NextBelow(12),
       .request_bytes_max = static_cast<std::uint32_t>(kReadAlignment * (1 + random.NextBelow(20))),
       .backend = seed % 2 == 0 ? "pread" : "auto"});
  const std::uint32_t slots = std::min(stack.slab.slot_count(0), stack.slab.slot_count(1));
  for (int step = 0; step < 24; ++step) {
    const ExpertLayerIndex layer{static_cast<std::uint32_t>(random.NextBelow(kLayers))};
    std::vector<ExpertIndex> wanted = AllExperts();
    for (std::size_t left = wanted.size(); left > 1; --left)
      std::swap(wanted[left - 1], wanted[random.NextBelow(left)]);
    wanted.resize(random.NextBelow(kExperts + 1));
    stack.pipeline->Begin(layer, {}, wanted);
    std::set<ExpertIndex> given;
    std::vector<ReadyExpert> held;
    const bool abandon = random.NextBelow(4) == 0;
    const std::size_t abandon_after = random.NextBelow(kExperts);
    for (;;) {
      if (abandon && given.size() >= abandon_after) {
        stack.pipeline->Abandon();
        break;
      }
      // Keep some experts while asking for more, as long as a slot stays free to pin.
      std::vector<ReadyExpert> ready(1 + random.NextBelow(slots - held.size()));
      const std::size_t count = stack.pipeline->NextReady(ready);
      if (count == 0) break;
      for (std::size_t i = 0; i < count; ++i) {
        stack.Check(ready[i], layer);
        ASSERT_TRUE(ready[i].status.ok() || may_fail) << ready[i].status.ToString();
        ASSERT_TRUE(given.insert(ready[i].expert).second) << "given twice";
        held.push_back(ready[i]);
      }
      while (!held.empty() && (held.size() >= slots || random.NextBelow(2) == 0)) {
        std::swap(held[random.NextBelow(held.size())], held.back());
        stack.Check(held.back(), layer);  // still the same bytes, whatever was read since
        stack.pipeline->Release(std::span(held).last(1));
        held.pop_back();
      }
    }
    if (!abandon) {
      ASSERT_EQ(given.size(), wanted.size());
    }
    stack.pipeline->Release(held);
    ASSERT_EQ(stack.cache.counters().pinned_count, 0u);
  }
  stack.pipeline.reset();
  ASSERT_EQ(stack.cache.counters().loading_count, 0u);
  ASSERT_EQ(stack.reader->in_flight(), 0u);
  ASSERT_EQ(stack.slab.slot_count() - stack.slab.free_count(0) - stack.slab.free_count(1),
            stack.cache.counters().resident_count);
}

TEST(ExpertPipelineFaultTest, RandomInterleavings) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(seed);
    RunRandomly(seed);
    if (testing::Test::HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace edgemoe
