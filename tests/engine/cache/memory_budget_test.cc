// SPDX-License-Identifier: Apache-2.0
#include "engine/cache/memory_budget.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <thread>
#include <vector>

#include "engine/base/byte_size.h"
#include "engine/base/random.h"

namespace edgemoe {
namespace {

using testing::HasSubstr;

TEST(MemoryBudgetTest, CountsAndGivesBack) {
  MemoryBudget budget(1000);
  {
    auto dense = budget.Reserve("dense weights", 600);
    ASSERT_TRUE(dense);
    EXPECT_EQ(dense->bytes(), 600u);
    EXPECT_EQ(budget.left_bytes(), 400u);
    const auto rest = budget.Reserve("slab", 400);
    ASSERT_TRUE(rest);
    EXPECT_EQ(budget.left_bytes(), 0u);
  }
  EXPECT_EQ(budget.left_bytes(), 1000u);
}

TEST(MemoryBudgetTest, TheTotalCanChangeDownToWhatIsReserved) {
  MemoryBudget budget(10 * kMiB);
  auto slab = budget.Reserve("slab", 7 * kMiB);
  ASSERT_TRUE(slab);
  const Status refused = budget.Resize(6 * kMiB);
  EXPECT_EQ(refused.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(refused.message(), HasSubstr("slab holds 7.00 MiB"));
  EXPECT_EQ(budget.total_bytes(), 10 * kMiB);
  ASSERT_TRUE(slab->Resize(2 * kMiB).ok());
  ASSERT_TRUE(budget.Resize(6 * kMiB).ok());
  EXPECT_EQ(budget.left_bytes(), 4 * kMiB);
  EXPECT_FALSE(slab->Resize(7 * kMiB).ok());
  ASSERT_TRUE(budget.Resize(12 * kMiB).ok());
  EXPECT_TRUE(slab->Resize(12 * kMiB).ok());
}

TEST(MemoryBudgetTest, RefusalNamesAskedLeftAndHolders) {
  MemoryBudget budget(10 * kMiB);
  const auto dense = budget.Reserve("dense weights", 7 * kMiB);
  const auto refused = budget.Reserve("KV blocks", 4 * kMiB);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(refused.error().message(), HasSubstr("KV blocks: asked for 4.00 MiB, left 3.00 MiB"));
  EXPECT_THAT(refused.error().message(), HasSubstr("dense weights holds 7.00 MiB"));
  EXPECT_EQ(budget.left_bytes(), 3 * kMiB);
}

TEST(MemoryBudgetTest, HugeNumbersDoNotWrap) {
  constexpr auto kMax = std::numeric_limits<std::uint64_t>::max();
  MemoryBudget budget(1000);
  auto one = budget.Reserve("a", 1);
  EXPECT_FALSE(budget.Reserve("b", kMax));
  EXPECT_FALSE(one->Resize(kMax).ok());
  EXPECT_EQ(budget.left_bytes(), 999u);
  MemoryBudget all(kMax);
  const auto everything = all.Reserve("a", kMax);
  EXPECT_TRUE(everything);
  EXPECT_FALSE(all.Reserve("b", 1));
  EXPECT_TRUE(all.Reserve("b", 0));
}

TEST(MemoryBudgetTest, ResizesWithinTheTotal) {
  MemoryBudget budget(100);
  auto kv = budget.Reserve("KV blocks", 40);
  const auto slab = budget.Reserve("slab", 50);
  EXPECT_TRUE(kv->Resize(50).ok());
  EXPECT_EQ(budget.left_bytes(), 0u);
  EXPECT_EQ(kv->Resize(51).code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(kv->bytes(), 50u);
  EXPECT_TRUE(kv->Resize(0).ok());
  EXPECT_EQ(budget.left_bytes(), 50u);
}

TEST(MemoryBudgetTest, MovesCarryTheReservation) {
  MemoryBudget budget(100);
  MemoryReservation kept;
  {
    auto first = budget.Reserve("a", 30);
    kept = *std::move(first);
  }
  EXPECT_EQ(budget.left_bytes(), 70u);
  kept = *budget.Reserve("b", 20);
  EXPECT_EQ(budget.left_bytes(), 80u);
  kept = MemoryReservation();
  EXPECT_EQ(budget.left_bytes(), 100u);
}

TEST(MemoryBudgetTest, EntriesByName) {
  MemoryBudget budget(100);
  const auto a = budget.Reserve("kv", 10);
  const auto b = budget.Reserve("slab", 20);
  const auto c = budget.Reserve("kv", 5);
  const auto entries = budget.entries();
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].name, "kv");
  EXPECT_EQ(entries[0].bytes, 15u);
  EXPECT_EQ(entries[1].bytes, 20u);
}

TEST(MemoryBudgetTest, ThreadsNeverExceedTheTotal) {
  MemoryBudget budget(1000);
  const auto work = [&budget](std::uint64_t seed) {
    Random random(seed);
    std::array<MemoryReservation, 4> held;
    for (int i = 0; i < 2000; ++i) {
      MemoryReservation& slot = held[random.NextBelow(held.size())];
      if (auto got = budget.Reserve("x", random.NextBelow(500))) slot = *std::move(got);
      EXPECT_LE(budget.left_bytes(), 1000u);
    }
  };
  std::vector<std::thread> threads;
  for (std::uint64_t seed = 0; seed < 4; ++seed) threads.emplace_back(work, seed);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(budget.left_bytes(), 1000u);
}

TEST(MemoryBudgetDeathTest, ReservationMustNotOutliveIt) {
  EXPECT_DEATH(
      {
        MemoryReservation kept;
        MemoryBudget budget(10);
        kept = *budget.Reserve("a", 1);
      },
      "outlives");
}

}  // namespace
}  // namespace edgemoe
