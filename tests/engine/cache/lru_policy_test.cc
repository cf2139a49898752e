// SPDX-License-Identifier: Apache-2.0
#include "engine/cache/lru_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "engine/base/random.h"

namespace edgemoe {
namespace {

ExpertKey Key(std::uint32_t layer, std::uint32_t expert) {
  return {ExpertLayerIndex{layer}, ExpertIndex{expert}};
}

void InsertUnpinned(LruPolicy& policy, ExpertKey key) {
  policy.OnInsert(key);
  policy.OnUnpin(key);
}

TEST(LruPolicyTest, VictimIsTheLeastRecent) {
  LruPolicy policy({.layer_count = 2, .experts_per_layer = 4});
  EXPECT_FALSE(policy.Victim());
  for (const ExpertKey key : {Key(0, 1), Key(1, 3), Key(0, 0)}) InsertUnpinned(policy, key);
  EXPECT_EQ(policy.Victim(), Key(0, 1));
  policy.OnPin(Key(0, 1));
  policy.OnUnpin(Key(0, 1));
  EXPECT_EQ(policy.Victim(), Key(1, 3));
  policy.OnErase(Key(1, 3));
  EXPECT_EQ(policy.Victim(), Key(0, 0));
  std::vector<ExpertKey> best;
  policy.AppendBest(5, best);
  EXPECT_THAT(best, testing::ElementsAre(Key(0, 1), Key(0, 0)));
}

TEST(LruPolicyTest, PinnedIsNoVictim) {
  LruPolicy policy({.layer_count = 1, .experts_per_layer = 2});
  policy.OnInsert(Key(0, 0));
  EXPECT_FALSE(policy.Victim());
  policy.OnUnpin(Key(0, 0));
  EXPECT_EQ(policy.Victim(), Key(0, 0));
  policy.OnPin(Key(0, 0));
  EXPECT_FALSE(policy.Victim());
}

TEST(LruPolicyTest, AgreesWithAList) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    Random random(seed);
    LruPolicy policy({.layer_count = 3, .experts_per_layer = 5});
    std::vector<ExpertKey> evictable;  // least recent first
    std::vector<ExpertKey> pinned;
    std::vector<ExpertKey> absent;
    for (std::uint32_t i = 0; i < 15; ++i) absent.push_back(Key(i / 5, i % 5));
    const auto take = [&random](std::vector<ExpertKey>& from) {
      const auto at = from.begin() + static_cast<std::ptrdiff_t>(random.NextBelow(from.size()));
      const ExpertKey key = *at;
      from.erase(at);
      return key;
    };
    for (int step = 0; step < 100; ++step) {
      const std::uint64_t choice = random.NextBelow(4);
      if (choice == 0 && !absent.empty()) {
        pinned.push_back(take(absent));
        policy.OnInsert(pinned.back());
      } else if (choice == 1 && !pinned.empty()) {
        evictable.push_back(take(pinned));
        policy.OnUnpin(evictable.back());
      } else if (choice == 2 && !evictable.empty()) {
        pinned.push_back(take(evictable));
        policy.OnPin(pinned.back());
      } else if (choice == 3 && !evictable.empty()) {
        absent.push_back(take(evictable));
        policy.OnErase(absent.back());
      }
      if (evictable.empty()) {
        ASSERT_FALSE(policy.Victim());
      } else {
        ASSERT_EQ(policy.Victim(), evictable.front()) << seed;
      }
    }
  }
}

}  // namespace
}  // namespace edgemoe
