// SPDX-License-Identifier: Apache-2.0
#include "engine/cache/slot_slab.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <limits>
#include <map>
#include <span>
#include <vector>

#include "engine/base/random.h"
#include "engine/base/system/aligned_buffer.h"
#include "engine/base/system/page_size.h"

namespace edgemoe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::uint64_t kBlock = kSlotAlignment;

// Layers whose experts all need the same bytes, on a kernel whose pages are blocks of storage.
SlotClasses Classes(const std::vector<std::uint64_t>& layer_bytes, std::uint32_t experts,
                    std::uint32_t top_k, std::uint64_t page_bytes = kBlock) {
  std::vector<std::uint64_t> bytes;
  for (const std::uint64_t layer : layer_bytes) bytes.insert(bytes.end(), experts, layer);
  auto classes = MakeSlotClasses(static_cast<std::uint32_t>(layer_bytes.size()), experts, top_k,
                                 bytes, page_bytes);
  EXPECT_TRUE(classes) << classes.error().ToString();
  return *classes;
}

TEST(SlotClassesTest, OneSizeIsOneClass) {
  const SlotClasses classes = Classes({100 * kBlock, 100 * kBlock}, 8, 2);
  ASSERT_EQ(classes.classes.size(), 1u);
  EXPECT_EQ(classes.classes[0].slot_bytes, 100 * kBlock);
  EXPECT_EQ(classes.classes[0].expert_count, 16u);
  EXPECT_EQ(classes.classes[0].slot_floor, 4u);
  EXPECT_EQ(SlabBytesMin(classes), 400 * kBlock);
  EXPECT_EQ(SlabBytesMax(classes), 1600 * kBlock);
}

TEST(SlotClassesTest, MixedQuantisationIsTwoClasses) {
  // Half of the layers with a wider down matrix; one dense layer.
  const SlotClasses classes =
      Classes({0, 120 * kBlock, 100 * kBlock, 120 * kBlock, 100 * kBlock}, 4, 3);
  ASSERT_EQ(classes.classes.size(), 2u);
  EXPECT_EQ(classes.classes[0].slot_bytes, 100 * kBlock);
  EXPECT_EQ(classes.classes[1].slot_bytes, 120 * kBlock);
  EXPECT_EQ(classes.classes[1].expert_count, 8u);
  EXPECT_EQ(classes.classes[1].slot_floor, 6u);
  EXPECT_EQ(classes.class_of[0], kNoSlotClass);
  EXPECT_EQ(classes.class_of[4], 1);
  EXPECT_EQ(classes.class_of[8], 0);
}

TEST(SlotClassesTest, BlockRoundingMakesNoClassOfItsOwn) {
  // Equal experts at any offset within a block, and one that is really smaller.
  const auto classes = MakeSlotClasses(
      1, 5, 2,
      std::vector<std::uint64_t>{50 * kBlock, 51 * kBlock, 53 * kBlock, 50 * kBlock, 30 * kBlock});
  ASSERT_TRUE(classes);
  ASSERT_EQ(classes->classes.size(), 2u);
  EXPECT_EQ(classes->classes[0].slot_bytes, 30 * kBlock);
  EXPECT_EQ(classes->classes[1].slot_bytes, 53 * kBlock);
  EXPECT_THAT(classes->class_of, ElementsAre(1, 1, 1, 1, 0));
}

// Bytes of slots beyond what the experts in them need. What rounding a class up to pages costs is
// not among them.
std::uint64_t PaddingBytes(const SlotClasses& classes, const std::vector<std::uint64_t>& bytes) {
  std::uint64_t padding = 0;
  for (const SlotClass& c : classes.classes) padding += c.slot_bytes * c.expert_count;
  for (const std::uint64_t one : bytes) padding -= AlignUp(one, kBlock);
  return padding;
}

TEST(SlotClassesTest, ManySizesAreJoinedAndAlwaysFit) {
  Random random(1);
  std::vector<std::uint64_t> bytes;
  for (int i = 0; i < 200; ++i) bytes.push_back(1 + random.NextBelow(5000 * kBlock));
  const auto classes = MakeSlotClasses(4, 50, 4, bytes);
  ASSERT_TRUE(classes);
  EXPECT_EQ(classes->classes.size(), kSlotClassCountMax);
  std::uint32_t experts = 0;
  for (const SlotClass& c : classes->classes) experts += c.expert_count;
  EXPECT_EQ(experts, 200u);
  for (std::size_t i = 0; i < bytes.size(); ++i)
    EXPECT_GE(classes->classes[classes->class_of[i]].slot_bytes, bytes[i]);
}

// The least padding of `sizes` (blocks, ascending, all different, one expert each) in `count` runs,
// by trying all.
std::uint64_t LeastPadding(std::span<const std::uint64_t> sizes, std::size_t count) {
  std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
  for (std::size_t first = 1; first <= sizes.size() - (count - 1); ++first) {
    std::uint64_t padding = 0;
    for (std::size_t i = 0; i < first; ++i) padding += sizes[first - 1] - sizes[i];
    if (count > 1) padding += LeastPadding(sizes.subspan(first), count - 1);
    if (count > 1 || first == sizes.size()) least = std::min(least, padding);
  }
  return least;
}

// Sizes mixed within layers must not make the floors ask for a slot for nearly every expert.
TEST(SlotClassesTest, FloorsOfMixedLayersAreOneTokensDemand) {
  constexpr std::uint32_t kLayers = 6;
  constexpr std::uint32_t kExperts = 32;
  constexpr std::uint32_t kTopK = 4;
  Random random(7);
  std::vector<std::uint64_t> bytes;
  for (std::uint32_t i = 0; i < kLayers * kExperts; ++i)
    bytes.push_back(kBlock * (16 + random.NextBelow(33)));
  const auto classes = MakeSlotClasses(kLayers, kExperts, kTopK, bytes);
  ASSERT_TRUE(classes);
  const std::size_t count = classes->classes.size();
  EXPECT_GT(count, 3u);
  std::uint32_t floors = 0;
  for (const SlotClass& c : classes->classes) {
    EXPECT_GE(c.slot_floor * kExperts, c.expert_count * kTopK);
    EXPECT_LT((c.slot_floor - 1) * kExperts, c.expert_count * kTopK);
    floors += c.slot_floor;
  }
  EXPECT_GE(floors, kLayers * kTopK);
  EXPECT_LT(floors, kLayers * kTopK + count);
  EXPECT_LE(SlabBytesMin(*classes), kLayers * kTopK * 48 * kBlock);
  EXPECT_TRUE(DivideSlots(*classes, SlabBytesMin(*classes)));
}

// Who reads each layer anew needs the most that a token may want of each class in any one layer.
TEST(SlotClassesTest, LayerFloorsAreTheMostOfOneLayer) {
  const std::vector<std::uint64_t> bytes = {
      100 * kBlock, 100 * kBlock, 100 * kBlock, 200 * kBlock,   // 3 small, 1 large
      100 * kBlock, 200 * kBlock, 200 * kBlock, 200 * kBlock};  // 1 small, 3 large
  const auto classes = MakeSlotClasses(2, 4, 2, bytes);
  ASSERT_TRUE(classes);
  ASSERT_EQ(classes->classes.size(), 2u);
  EXPECT_EQ(classes->classes[0].slot_floor, 2u);
  EXPECT_EQ(classes->classes[1].slot_floor, 2u);
  const SlotClasses of_layer = WithLayerFloors(Classes({100 * kBlock, 200 * kBlock}, 4, 3), 3);
  EXPECT_EQ(of_layer.classes[0].slot_floor, 3u);
  EXPECT_EQ(of_layer.classes[1].slot_floor, 3u);
  const SlotClasses mixed = WithLayerFloors(*classes, 2);
  EXPECT_EQ(mixed.classes[0].slot_floor, 2u);
  EXPECT_EQ(mixed.classes[1].slot_floor, 2u);
  EXPECT_EQ(WithLayerFloors(*classes, 1).classes[1].slot_floor, 1u);
}

TEST(SlotClassesTest, RefusesModelsWithoutExperts) {
  const std::vector<std::uint64_t> none(4, 0);
  EXPECT_EQ(MakeSlotClasses(2, 2, 1, none).error().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(MakeSlotClasses(0, 2, 1, {}).error().code(), StatusCode::kInvalidArgument);
  const std::vector<std::uint64_t> some(4, kBlock);
  for (const std::uint32_t top_k : {0u, 3u}) {
    const auto wrong = MakeSlotClasses(2, 2, top_k, some);
    ASSERT_FALSE(wrong);
    EXPECT_THAT(wrong.error().message(), HasSubstr("accepted: [1, 2]"));
  }
}

TEST(DivideSlotsTest, FloorThenShareThenEverything) {
  const SlotClasses classes = Classes({100 * kBlock, 200 * kBlock}, 10, 2);
  const std::uint64_t least = SlabBytesMin(classes);
  EXPECT_EQ(least, 600 * kBlock);
  EXPECT_THAT(*DivideSlots(classes, least), ElementsAre(2, 2));
  EXPECT_THAT(*DivideSlots(classes, least + 1200 * kBlock), ElementsAre(6, 6));
  EXPECT_THAT(*DivideSlots(classes, SlabBytesMax(classes)), ElementsAre(10, 10));
  EXPECT_THAT(*DivideSlots(classes, 1000 * SlabBytesMax(classes)), ElementsAre(10, 10));
  const auto refused = DivideSlots(classes, least - 1);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(refused.error().message(), HasSubstr(std::to_string(least)));
}

// Kernels of x86, of the Raspberry Pi 5, and of some Arm servers. Tested wherever the running
// kernel's pages are not larger.
class PageSizeTest : public testing::TestWithParam<std::uint64_t> {
 protected:
  void SetUp() override {
    if (PageBytes() > GetParam()) GTEST_SKIP() << "this kernel's pages are larger";
  }

  std::uint64_t InPages(std::uint64_t bytes) const { return AlignUp(bytes, GetParam()); }
};
INSTANTIATE_TEST_SUITE_P(Pages, PageSizeTest, testing::Values(4096, 16384, 65536));

// As few classes as keep the padding within 5 %, and of these the least padding, whatever a
// page is.
TEST_P(PageSizeTest, TheFewestClassesWithLittlePadding) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Random random(seed);
    std::vector<std::uint64_t> blocks;
    for (std::uint64_t block = 1 + random.NextBelow(40); blocks.size() < 12;
         block += 1 + random.NextBelow(9))
      blocks.push_back(block);
    std::vector<std::uint64_t> bytes;
    std::uint64_t sum = 0;
    for (const std::uint64_t block : blocks) {
      bytes.push_back(block * kBlock);
      sum += block;
    }
    const auto classes = MakeSlotClasses(2, 6, 2, bytes, GetParam());
    ASSERT_TRUE(classes);
    const std::size_t count = classes->classes.size();
    const std::uint64_t padding = PaddingBytes(*classes, bytes);
    EXPECT_EQ(padding, LeastPadding(blocks, count) * kBlock) << seed;
    if (count < kSlotClassCountMax) {
      EXPECT_LE(padding, sum * kBlock / 20) << seed;
    }
    if (count > 1) {
      EXPECT_GT(LeastPadding(blocks, count - 1) * 20, sum) << seed;
    }
  }
}

// The bound is hard, and no slot's worth of bytes is left unused.
TEST_P(PageSizeTest, DividesBytesOfRandomModelsAndBudgets) {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    Random random(seed);
    std::vector<std::uint64_t> layers;
    for (std::uint64_t i = 0; i < 1 + random.NextBelow(6); ++i)
      layers.push_back(kBlock * (1 + random.NextBelow(40)));
    const auto experts = static_cast<std::uint32_t>(1 + random.NextBelow(20));
    const SlotClasses classes = Classes(
        layers, experts, static_cast<std::uint32_t>(1 + random.NextBelow(experts)), GetParam());
    const std::uint64_t least = SlabBytesMin(classes);
    const std::uint64_t most = SlabBytesMax(classes);
    const std::uint64_t budget = least + random.NextBelow(most - least + 2 * kBlock);
    const auto counts = DivideSlots(classes, budget);
    ASSERT_TRUE(counts);
    std::uint64_t used = 0;
    for (std::size_t i = 0; i < counts->size(); ++i) {
      ASSERT_GE((*counts)[i], classes.classes[i].slot_floor) << seed;
      ASSERT_LE((*counts)[i], classes.classes[i].expert_count) << seed;
      used += InPages((*counts)[i] * classes.classes[i].slot_bytes);
    }
    ASSERT_LE(used, budget) << seed;
    for (std::size_t i = 0; i < counts->size(); ++i) {
      const std::uint64_t slot_bytes = classes.classes[i].slot_bytes;
      if ((*counts)[i] < classes.classes[i].expert_count) {
        ASSERT_GT(InPages(((*counts)[i] + 1) * slot_bytes),
                  InPages((*counts)[i] * slot_bytes) + budget - used)
            << seed;
      }
    }
  }
}

TEST_P(PageSizeTest, SlotsAreAlignedApartAndWithinTheBudget) {
  const SlotClasses classes = Classes({3 * kBlock, 9 * kBlock}, 6, 2, GetParam());
  const std::uint64_t budget = SlabBytesMin(classes) + 20 * kBlock + 123;
  auto slab = SlotSlab::Create(classes, budget);
  ASSERT_TRUE(slab) << slab.error().ToString();
  EXPECT_LE(slab->committed_bytes(), budget);
  const std::vector<std::span<std::byte>> regions = slab->regions();
  ASSERT_EQ(regions.size(), 2u);
  std::map<const std::byte*, std::size_t> taken;
  for (std::uint8_t c = 0; c < 2; ++c) {
    SlotIndex slot;
    std::uint32_t count = 0;
    while (slab->TryTake(c, slot)) {
      const std::span<std::byte> bytes = slab->BytesOf(slot);
      EXPECT_EQ(bytes.size(), classes.classes[c].slot_bytes);
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(bytes.data()) % kBlock, 0u);
      EXPECT_GE(bytes.data(), regions[c].data());
      EXPECT_LE(bytes.data() + bytes.size(), regions[c].data() + regions[c].size());
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
  auto slab = SlotSlab::Create(Classes({kBlock}, 1, 1, PageBytes()), PageBytes());
  ASSERT_TRUE(slab);
  SlotIndex slot;
  ASSERT_TRUE(slab->TryTake(0, slot));
  EXPECT_FALSE(slab->TryTake(0, slot));
  slab->Free(slot);
  EXPECT_TRUE(slab->TryTake(0, slot));
  slab->Free(slot);
  EXPECT_DEATH(slab->Free(slot), "freed twice");
}

// How much of a range is in memory.
std::uint64_t ResidentBytes(std::span<std::byte> range) {
  std::vector<unsigned char> pages(AlignUp(range.size(), PageBytes()) / PageBytes());
  EXPECT_EQ(::mincore(range.data(), range.size(), pages.data()), 0);
  return PageBytes() *
         static_cast<std::uint64_t>(std::ranges::count_if(pages, [](auto p) { return p & 1; }));
}

// Also of memory that may not be read, of which an emulator tells nothing.
bool HasMincore() {
  void* const page = ::mmap(nullptr, PageBytes(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  unsigned char resident = 0;
  const bool told = ::mincore(page, PageBytes(), &resident) == 0;
  ::munmap(page, PageBytes());
  return told;
}

// Slots of 30 and 90 blocks end within pages of 16 and 64 KiB: the page that a slot shares with the
// first that goes stays.
TEST_P(PageSizeTest, ShrinkingGivesMemoryBackAndGrowingTakesIt) {
  if (!HasMincore()) GTEST_SKIP() << "SKIPPED: no mincore here, as in an emulated process";
  const SlotClasses classes = Classes({30 * kBlock, 90 * kBlock}, 16, 2, GetParam());
  auto slab = SlotSlab::Create(classes, SlabBytesMax(classes));
  ASSERT_TRUE(slab) << slab.error().ToString();
  const bool locked = slab->TryLock();
  const std::vector<std::span<std::byte>> whole = slab->regions();
  for (int round = 0; round < 3; ++round) {
    for (const std::span<std::byte> region : slab->regions())
      std::memset(region.data(), 0x77, region.size());
    EXPECT_EQ(ResidentBytes(whole[0]), 16 * 30 * kBlock);
    EXPECT_EQ(ResidentBytes(whole[1]), 16 * 90 * kBlock);
    ASSERT_TRUE(slab->Resize(std::vector<std::uint32_t>{5, 3}, nullptr).ok());
    const std::uint64_t small = InPages(5 * 30 * kBlock);
    const std::uint64_t large = InPages(3 * 90 * kBlock);
    EXPECT_EQ(slab->committed_bytes(), small + large);
    EXPECT_EQ(ResidentBytes(whole[0]), small);
    EXPECT_EQ(ResidentBytes(whole[1]), large);
    EXPECT_EQ(slab->slot_count(), 8u);
    for (const std::span<std::byte> region : slab->regions())
      EXPECT_TRUE(std::ranges::all_of(region, [](std::byte b) { return b == std::byte{0x77}; }));
    ASSERT_TRUE(slab->Resize(std::vector<std::uint32_t>{16, 16}, nullptr).ok());
    EXPECT_EQ(slab->free_count(0) + slab->free_count(1), 32u);
    // Untouched, it is not in memory; what stayed still is.
    EXPECT_EQ(ResidentBytes(whole[0]), small);
    EXPECT_EQ(ResidentBytes(whole[1]), large);
    EXPECT_EQ(slab->regions()[1].data(), whole[1].data());
  }
  if (!locked) std::fputs("not locked: RLIMIT_MEMLOCK is too small\n", stderr);
}

TEST(SlotSlabTest, MemoryThatWasGivenBackCannotBeTouched) {
  const std::uint64_t page = PageBytes();
  const SlotClasses classes = Classes({page}, 4, 1, page);
  auto slab = SlotSlab::Create(classes, 4 * page);
  ASSERT_TRUE(slab);
  std::byte* const last = slab->regions()[0].data() + 3 * page;
  *last = std::byte{1};
  ASSERT_TRUE(slab->Resize(std::vector<std::uint32_t>{3}, nullptr).ok());
  EXPECT_DEATH(*last = std::byte{2}, "");
}

TEST_P(PageSizeTest, TakenSlotsMoveBelowTheNewEnd) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Random random(seed);
    const SlotClasses classes = Classes({kBlock, 9 * kBlock}, 12, 1, GetParam());
    auto slab = SlotSlab::Create(classes, SlabBytesMax(classes));
    ASSERT_TRUE(slab);
    std::map<SlotIndex, int> marks;  // what was written to each taken slot
    std::vector<std::uint32_t> taken(2);
    int mark = 0;
    for (int step = 0; step < 40; ++step) {
      const auto c = static_cast<std::uint8_t>(random.NextBelow(2));
      SlotIndex slot;
      if (random.NextBelow(3) > 0 && slab->TryTake(c, slot)) {
        std::memset(slab->BytesOf(slot).data(), ++mark, slab->BytesOf(slot).size());
        ASSERT_TRUE(marks.emplace(slot, mark).second);
        ++taken[c];
      } else if (!marks.empty()) {
        const auto any =
            std::next(marks.begin(), static_cast<std::ptrdiff_t>(random.NextBelow(marks.size())));
        --taken[slab->BytesOf(any->first).size() == kBlock ? 0 : 1];
        slab->Free(any->first);
        marks.erase(any);
      }
      if (step % 8 != 7) continue;
      std::vector<std::uint32_t> counts;
      for (const std::uint32_t count : taken)
        counts.push_back(count + static_cast<std::uint32_t>(random.NextBelow(13 - count)));
      ASSERT_TRUE(slab->Resize(counts,
                               [&](SlotIndex from, SlotIndex to) {
                                 auto moved = marks.extract(from);
                                 moved.key() = to;
                                 ASSERT_TRUE(marks.insert(std::move(moved)).inserted);
                               })
                      .ok());
      for (std::uint8_t i = 0; i < 2; ++i) {
        ASSERT_EQ(slab->slot_count(i), counts[i]);
        ASSERT_EQ(slab->free_count(i), counts[i] - taken[i]);
      }
      for (const auto& [index, written] : marks) {
        const std::span<const std::byte> bytes = slab->BytesOf(index);
        ASSERT_EQ(bytes[0], static_cast<std::byte>(written)) << seed;
        // Each byte is as the one before it.
        ASSERT_EQ(std::memcmp(&bytes[0], &bytes[1], bytes.size() - 1), 0) << seed;
      }
    }
  }
}

TEST(SlotSlabTest, MemoryThatTheKernelHasNotIsRefused) {
  const SlotClasses classes = Classes({std::uint64_t{1} << 50}, 2, 1, PageBytes());
  const auto slab = SlotSlab::Create(classes, SlabBytesMax(classes));
  ASSERT_FALSE(slab);
  EXPECT_EQ(slab.error().code(), StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace edgemoe
