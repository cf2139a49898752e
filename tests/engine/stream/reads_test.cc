// SPDX-License-Identifier: Apache-2.0
#include "engine/stream/pipeline/reads.h"

#include <gtest/gtest.h>

#include "engine/base/random.h"
#include "engine/base/system/aligned_buffer.h"
#include "engine/base/system/page_size.h"
#include "engine/io/block_reader.h"
#include "engine/stream/pipeline/slots.h"

namespace edgemoe {
namespace {

constexpr std::uint64_t kBlock = kReadAlignment;

ExpertExtents Extents(std::uint64_t gate, std::uint64_t up, std::uint64_t down,
                      std::uint64_t bytes) {
  return {ExpertExtent{.offset = gate, .bytes = bytes}, ExpertExtent{.offset = up, .bytes = bytes},
          ExpertExtent{.offset = down, .bytes = bytes}};
}

TEST(ExpertReadsTest, FarApartExtentsAreRoundedOutwards) {
  const ExpertReads plan =
      LayOutReads(Extents(100 * kBlock + 32, 300 * kBlock, 200 * kBlock + 4000, 5000));
  ASSERT_EQ(plan.run_count, 3u);
  // In file order: gate, down, up.
  EXPECT_EQ(plan.runs[0].offset, 100 * kBlock);
  EXPECT_EQ(plan.runs[0].bytes, 2 * kBlock);
  EXPECT_EQ(plan.runs[0].bytes_needed, 5032u);
  EXPECT_EQ(plan.runs[1].offset, 200 * kBlock);
  EXPECT_EQ(plan.runs[1].bytes, 3 * kBlock);
  EXPECT_EQ(plan.runs[1].slot_offset, 2 * kBlock);
  EXPECT_EQ(plan.runs[2].bytes, 2 * kBlock);
  EXPECT_EQ(plan.slot_bytes, 7 * kBlock);
  EXPECT_EQ(plan.matrix_offsets[0], 32u);
  EXPECT_EQ(plan.matrix_offsets[1], 5 * kBlock);
  EXPECT_EQ(plan.matrix_offsets[2], 2 * kBlock + 4000);
}

TEST(ExpertReadsTest, ARecordIsOneRun) {
  const ExpertReads plan = LayOutReads(Extents(8 * kBlock, 10 * kBlock, 12 * kBlock, 5000));
  ASSERT_EQ(plan.run_count, 1u);
  EXPECT_EQ(plan.runs[0].bytes, 6 * kBlock);
  EXPECT_EQ(plan.runs[0].bytes_needed, 4 * kBlock + 5000);
  EXPECT_EQ(plan.matrix_offsets[2], 4 * kBlock);
}

TEST(ExpertReadsTest, ExtentsInOneBlockShareIt) {
  const ExpertReads plan = LayOutReads(Extents(64, 164, 264, 100));
  ASSERT_EQ(plan.run_count, 1u);
  EXPECT_EQ(plan.slot_bytes, kBlock);
}

TEST(ExpertReadsTest, OtherFilesAreOtherRuns) {
  ExpertExtents extents = Extents(0, kBlock, 2 * kBlock, kBlock);
  extents[1].file_index = 1;
  const ExpertReads plan = LayOutReads(extents);
  ASSERT_EQ(plan.run_count, 3u);
  EXPECT_EQ(plan.runs[2].file_index, 1u);
}

TEST(ExpertReadsTest, NoBytesNoReads) {
  const ExpertReads plan = LayOutReads(ExpertExtents{});
  EXPECT_EQ(plan.run_count, 0u);
  EXPECT_EQ(plan.slot_bytes, 0u);
}

TEST(ExpertReadsTest, RandomExtentsAreCoveredByAlignedRunsApart) {
  for (std::uint64_t seed = 0; seed < 5000; ++seed) {
    Random random(seed);
    ExpertExtents extents;
    for (ExpertExtent& extent : extents)
      extent = {.file_index = static_cast<std::uint32_t>(random.NextBelow(2)),
                .offset = random.NextBelow(20 * kBlock),
                .bytes = random.NextBelow(6 * kBlock)};
    const ExpertReads plan = LayOutReads(extents);
    ASSERT_EQ(SlotBytesFor(extents), plan.slot_bytes);
    std::uint64_t slot_end = 0;
    for (std::size_t i = 0; i < plan.run_count; ++i) {
      const ReadRun& run = plan.runs[i];
      ASSERT_EQ(run.offset % kBlock, 0u);
      ASSERT_EQ(run.bytes % kBlock, 0u);
      ASSERT_EQ(run.slot_offset, slot_end);
      ASSERT_LE(run.bytes_needed, run.bytes);
      ASSERT_GT(run.bytes_needed + kBlock, run.bytes);
      slot_end += run.bytes;
    }
    ASSERT_EQ(slot_end, plan.slot_bytes);
    for (std::size_t role = 0; role < kExpertRoleCount; ++role) {
      const ExpertExtent& extent = extents[role];
      if (extent.bytes == 0) continue;
      int covering = 0;
      for (std::size_t i = 0; i < plan.run_count; ++i) {
        const ReadRun& run = plan.runs[i];
        const bool inside = run.file_index == extent.file_index && extent.offset >= run.offset &&
                            extent.offset + extent.bytes <= run.offset + run.bytes_needed;
        if (inside && plan.matrix_offsets[role] == run.slot_offset + extent.offset - run.offset)
          ++covering;
      }
      ASSERT_EQ(covering, 1) << "seed " << seed << " role " << role;
    }
  }
}

TEST(ExpertSlotsTest, CountsWhatTheLayoutNeeds) {
  ExpertLayout layout{.layer_count = 2, .experts_per_layer = 2, .extents = {}};
  layout.extents = {Extents(0, 50 * kBlock, 90 * kBlock, 10 * kBlock),
                    Extents(10 * kBlock, 60 * kBlock, 100 * kBlock, 10 * kBlock), ExpertExtents{},
                    ExpertExtents{}};
  const auto classes = SlotClassesOf(layout, 1);
  ASSERT_TRUE(classes) << classes.error().ToString();
  EXPECT_EQ(SlabBytesMin(*classes), AlignUp(30 * kBlock, PageBytes()));
  EXPECT_EQ(SlabBytesMax(*classes), AlignUp(60 * kBlock, PageBytes()));
  layout.extents.pop_back();
  EXPECT_EQ(SlotClassesOf(layout, 1).error().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace edgemoe
