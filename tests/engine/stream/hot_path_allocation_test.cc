// SPDX-License-Identifier: Apache-2.0
// Once made, the pipeline and what is below it ask for no memory: every allocation of this program
// is counted.
#include <gtest/gtest.h>

#include <array>

#include "tests/engine/stream/pipeline_fixture.h"
#include "tests/support/allocation_counter.h"

namespace edgemoe {
namespace {

class HotPathAllocationTest : public testing::TestWithParam<const char*> {};

TEST_P(HotPathAllocationTest, HitsMissesEvictionsAndWavesAllocateNothing) {
  PipelineStack stack({.faults = "short:every=3;late:calls=3;shuffle", .backend = GetParam()});
  const std::vector<ExpertIndex> all = AllExperts();
  std::array<ReadyExpert, 2> ready;
  std::uint64_t given_count = 0;
  const std::uint64_t before = AllocationCount();
  for (int round = 0; round < 5; ++round)
    for (std::uint32_t layer = 0; layer < kLayers; ++layer) {
      stack.pipeline->Begin(ExpertLayerIndex{layer}, {}, all);
      while (const std::size_t count = stack.pipeline->NextReady(ready)) {
        given_count += count;
        stack.pipeline->Release(std::span(ready).first(count));
      }
    }
  const std::uint64_t after = AllocationCount();
  EXPECT_EQ(after, before);
  EXPECT_EQ(given_count, 5u * kLayers * kExperts);
  EXPECT_GT(before, 0u) << "the counter counts";
}

INSTANTIATE_TEST_SUITE_P(Backends, HotPathAllocationTest, testing::Values("pread", "auto"));

}  // namespace
}  // namespace edgemoe
