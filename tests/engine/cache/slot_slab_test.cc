// SPDX-License-Identifier: Apache-2.0
#include "engine/cache/slot_slab.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <map>

#include "engine/base/random.h"

namespace edgemoe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::uint64_t kPage = kPageBytes;

// Layers whose experts all need the same bytes.
SlotClasses Classes(const std::vector<std::uint64_t>& layer_bytes, std::uint32_t experts,
                    std::uint32_t top_k) {
  std::vector<std::uint64_t> bytes;
  for (const std::uint64_t layer : layer_bytes) bytes.insert(bytes.end(), experts, layer);
  auto classes =
      MakeSlotClasses(static_cast<std::uint32_t>(layer_bytes.size()), experts, top_k, bytes);
  EXPECT_TRUE(classes) << classes.error().ToString();
  return *classes;
}

TEST(SlotClassesTest, OneSizeIsOneClass) {
  const SlotClasses classes = Classes({100 * kPage, 100 * kPage}, 8, 2);
  ASSERT_EQ(classes.classes.size(), 1u);
  EXPECT_EQ(classes.classes[0].slot_bytes, 100 * kPage);
  EXPECT_EQ(classes.classes[0].expert_count, 16u);
  EXPECT_EQ(classes.classes[0].slot_floor, 4u);
  EXPECT_EQ(SlabBytesMin(classes), 400 * kPage);
  EXPECT_EQ(SlabBytesMax(classes), 1600 * kPage);
}

TEST(SlotClassesTest, MixedQuantisationIsTwoClasses) {
  // Half of the layers with a wider down matrix; one dense layer.
  const SlotClasses classes =
      Classes({0, 120 * kPage, 100 * kPage, 120 * kPage, 100 * kPage}, 4, 3);
  ASSERT_EQ(classes.classes.size(), 2u);
  EXPECT_EQ(classes.classes[0].slot_bytes, 100 * kPage);
  EXPECT_EQ(classes.classes[1].slot_bytes, 120 * kPage);
  EXPECT_EQ(classes.classes[1].expert_count, 8u);
  EXPECT_EQ(classes.classes[1].slot_floor, 6u);
  EXPECT_EQ(classes.class_of[0], kNoSlotClass);
  EXPECT_EQ(classes.class_of[4], 1);
  EXPECT_EQ(classes.class_of[8], 0);
}

TEST(SlotClassesTest, BlockRoundingMakesNoClassOfItsOwn) {
  const auto classes = MakeSlotClasses(
      1, 4, 2, std::vector<std::uint64_t>{50 * kPage, 51 * kPage, 53 * kPage, 49 * kPage});
  ASSERT_TRUE(classes);
  ASSERT_EQ(classes->classes.size(), 2u);
  EXPECT_EQ(classes->classes[0].slot_bytes, 49 * kPage);
  EXPECT_EQ(classes->classes[1].slot_bytes, 53 * kPage);
  EXPECT_THAT(classes->class_of, ElementsAre(1, 1, 1, 0));
}

TEST(SlotClassesTest, ManySizesAreJoinedAndAlwaysFit) {
  Random random(1);
  std::vector<std::uint64_t> bytes;
  for (int i = 0; i < 200; ++i) bytes.push_back(1 + random.NextBelow(5000 * kPage));
  const auto classes = MakeSlotClasses(4, 50, 4, bytes);
  ASSERT_TRUE(classes);
  EXPECT_EQ(classes->classes.size(), kSlotClassCountMax);
  std::uint32_t experts = 0;
  for (const SlotClass& c : classes->classes) experts += c.expert_count;
  EXPECT_EQ(experts, 200u);
  for (std::size_t i = 0; i < bytes.size(); ++i)
    EXPECT_GE(classes->classes[classes->class_of[i]].slot_bytes, bytes[i]);
}

TEST(SlotClassesTest, RefusesModelsWithoutExperts) {
  const std::vector<std::uint64_t> none(4, 0);
  EXPECT_EQ(MakeSlotClasses(2, 2, 1, none).error().code(), StatusCode::kInvalidArgument);
  const std::vector<std::uint64_t> some(4, kPage);
  for (const std::uint32_t top_k : {0u, 3u}) {
    const auto wrong = MakeSlotClasses(2, 2, top_k, some);
    ASSERT_FALSE(wrong);
    EXPECT_THAT(wrong.error().message(), HasSubstr("accepted 1 to 2"));
  }
}

TEST(DivideSlotsTest, FloorThenShareThenEverything) {
  const SlotClasses classes = Classes({100 * kPage, 200 * kPage}, 10, 2);
  const std::uint64_t least = SlabBytesMin(classes);
  EXPECT_EQ(least, 600 * kPage);
  EXPECT_THAT(*DivideSlots(classes, least), ElementsAre(2, 2));
  EXPECT_THAT(*DivideSlots(classes, least + 1200 * kPage), ElementsAre(6, 6));
  EXPECT_THAT(*DivideSlots(classes, SlabBytesMax(classes)), ElementsAre(10, 10));
  EXPECT_THAT(*DivideSlots(classes, 1000 * SlabBytesMax(classes)), ElementsAre(10, 10));
  const auto refused = DivideSlots(classes, least - 1);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(refused.error().message(), HasSubstr(std::to_string(least)));
}

// The bound is hard, and no slot's worth of bytes is left unused.
TEST(DivideSlotsTest, RandomModelsAndBudgets) {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    Random random(seed);
    std::vector<std::uint64_t> layers;
    for (std::uint64_t i = 0; i < 1 + random.NextBelow(6); ++i)
      layers.push_back(kPage * (1 + random.NextBelow(40)));
    const auto experts = static_cast<std::uint32_t>(1 + random.NextBelow(20));
    const SlotClasses classes =
        Classes(layers, experts, static_cast<std::uint32_t>(1 + random.NextBelow(experts)));
    const std::uint64_t least = SlabBytesMin(classes);
    const std::uint64_t most = SlabBytesMax(classes);
    const std::uint64_t budget = least + random.NextBelow(most - least + 2 * kPage);
    const auto counts = DivideSlots(classes, budget);
    ASSERT_TRUE(counts);
    std::uint64_t used = 0;
    for (std::size_t i = 0; i < counts->size(); ++i) {
      ASSERT_GE((*counts)[i], classes.classes[i].slot_floor) << seed;
      ASSERT_LE((*counts)[i], classes.classes[i].expert_count) << seed;
      used += (*counts)[i] * classes.classes[i].slot_bytes;
    }
    ASSERT_LE(used, budget) << seed;
    for (std::size_t i = 0; i < counts->size(); ++i)
      if ((*counts)[i] < classes.classes[i].expert_count) {
        ASSERT_GT(classes.classes[i].slot_bytes, budget - used) << seed;
      }
  }
}

TEST(SlotSlabTest, SlotsAreAlignedApartAndWithinTheBudget) {
  const SlotClasses classes = Classes({3 * kPage, 9 * kPage}, 6, 2);
  const std::uint64_t budget = SlabBytesMin(classes) + 20 * kPage + 123;
  auto slab = SlotSlab::Create(classes, budget);
  ASSERT_TRUE(slab) << slab.error().ToString();
  EXPECT_LE(slab->memory().size(), budget);
  std::map<const std::byte*, std::size_t> taken;
  for (std::uint8_t c = 0; c < 2; ++c) {
    SlotIndex slot;
    std::uint32_t count = 0;
    while (slab->TryTake(c, slot)) {
      const std::span<std::byte> bytes = slab->BytesOf(slot);
      EXPECT_EQ(bytes.size(), classes.classes[c].slot_bytes);
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(bytes.data()) % kPage, 0u);
      EXPECT_GE(bytes.data(), slab->memory().data());
      EXPECT_LE(bytes.data() + bytes.size(), slab->memory().data() + slab->memory().size());
      std::memset(bytes.data(), 0x11, bytes.size());
      taken[bytes.data()] = bytes.size();
      ++count;
    }
    EXPECT_EQ(count, slab->slot_count(c));
    EXPECT_EQ(slab->free_count(c), 0u);
  }
  EXPECT_EQ(taken.size(), slab->slot_count());
  const std::byte* end = nullptr;
  for (const auto& [begin, bytes] : taken) {
    EXPECT_GE(begin, end);
    end = begin + bytes;
  }
}

TEST(SlotSlabTest, FreedSlotsComeBack) {
  auto slab = SlotSlab::Create(Classes({kPage}, 1, 1), kPage);
  ASSERT_TRUE(slab);
  SlotIndex slot;
  ASSERT_TRUE(slab->TryTake(0, slot));
  EXPECT_FALSE(slab->TryTake(0, slot));
  slab->Free(slot);
  EXPECT_TRUE(slab->TryTake(0, slot));
  slab->Free(slot);
  EXPECT_DEATH(slab->Free(slot), "freed twice");
}

TEST(SlotSlabTest, MemoryThatTheKernelHasNotIsRefused) {
  const SlotClasses classes = Classes({std::uint64_t{1} << 50}, 2, 1);
  const auto slab = SlotSlab::Create(classes, SlabBytesMax(classes));
  ASSERT_FALSE(slab);
  EXPECT_EQ(slab.error().code(), StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace edgemoe
