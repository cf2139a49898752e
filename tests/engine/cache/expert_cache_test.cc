// SPDX-License-Identifier: Apache-2.0
#include "engine/cache/expert_cache.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <map>
#include <set>

#include "engine/base/random.h"
#include "engine/base/system/page_size.h"
#include "engine/cache/lru_policy.h"

namespace edgemoe {
namespace {

ExpertKey Key(std::uint32_t layer, std::uint32_t expert) {
  return {ExpertLayerIndex{layer}, ExpertIndex{expert}};
}

// Two layers with slots of one page of the running kernel, two with slots of ten: so the bytes of a
// slab are those of its slots.
SlotClasses TwoClasses(std::uint32_t experts, std::uint32_t top_k) {
  std::vector<std::uint64_t> bytes;
  for (const std::uint64_t pages : {1u, 10u, 1u, 10u})
    bytes.insert(bytes.end(), experts, pages * PageBytes());
  return *MakeSlotClasses(4, experts, top_k, bytes);
}

class ExpertCacheTest : public testing::Test {
 protected:
  // Room for two small and two large experts.
  void SetUp() override { cache_.emplace(classes_, &slab_, LruPolicy::Make); }

  ExpertPin Load(ExpertKey key) {
    EXPECT_FALSE(cache_->TryReserve(key).empty());
    return cache_->Complete(key);
  }

  SlotClasses classes_ = TwoClasses(4, 1);
  SlotSlab slab_ = *SlotSlab::Create(classes_, SlabBytesMin(classes_));
  std::optional<ExpertCache> cache_;
};

TEST_F(ExpertCacheTest, AbsentLoadingResident) {
  const ExpertKey key = Key(0, 1);
  EXPECT_EQ(cache_->state(key), ExpertState::kAbsent);
  EXPECT_FALSE(cache_->TryPin(key));
  const std::span<std::byte> slot = cache_->TryReserve(key);
  ASSERT_EQ(slot.size(), PageBytes());
  EXPECT_EQ(cache_->state(key), ExpertState::kLoading);
  EXPECT_FALSE(cache_->TryPin(key));
  slot[7] = std::byte{42};
  {
    const ExpertPin pin = cache_->Complete(key);
    EXPECT_EQ(pin.key(), key);
    EXPECT_EQ(pin.bytes().data(), slot.data());
    EXPECT_EQ(pin.bytes()[7], std::byte{42});
  }
  EXPECT_EQ(cache_->state(key), ExpertState::kResident);
  EXPECT_TRUE(cache_->TryPin(key));
  const CacheCounters& counters = cache_->counters();
  EXPECT_EQ(counters.misses, 1u);
  EXPECT_EQ(counters.joins, 1u);
  EXPECT_EQ(counters.hits, 1u);
  EXPECT_EQ(counters.resident_bytes, PageBytes());
  EXPECT_EQ(counters.pinned_count, 0u);
}

TEST_F(ExpertCacheTest, FailedLoadGivesItsSlotBack) {
  for (int i = 0; i < 10; ++i) {
    ASSERT_FALSE(cache_->TryReserve(Key(0, 0)).empty());
    cache_->Fail(Key(0, 0));
    EXPECT_EQ(cache_->state(Key(0, 0)), ExpertState::kAbsent);
  }
  EXPECT_EQ(cache_->counters().failures, 10u);
  EXPECT_EQ(slab_.free_count(0), 2u);
}

TEST_F(ExpertCacheTest, PinnedAndLoadingAreNeverEvicted) {
  const ExpertPin pin = Load(Key(0, 0));
  ASSERT_FALSE(cache_->TryReserve(Key(0, 1)).empty());
  EXPECT_TRUE(cache_->TryReserve(Key(0, 2)).empty());
  EXPECT_EQ(cache_->state(Key(0, 2)), ExpertState::kAbsent);
  cache_->Fail(Key(0, 1));
  EXPECT_FALSE(cache_->TryReserve(Key(0, 2)).empty());
  cache_->Fail(Key(0, 2));
}

TEST_F(ExpertCacheTest, EvictsTheLeastRecentOfItsClass) {
  Load(Key(0, 0));
  Load(Key(1, 0));
  Load(Key(2, 0));
  EXPECT_TRUE(cache_->TryPin(Key(0, 0)));
  Load(Key(2, 1));  // small: Key(2, 0) goes, though Key(1, 0) is the older one
  EXPECT_EQ(cache_->state(Key(2, 0)), ExpertState::kAbsent);
  EXPECT_EQ(cache_->state(Key(0, 0)), ExpertState::kResident);
  EXPECT_EQ(cache_->state(Key(1, 0)), ExpertState::kResident);
  EXPECT_EQ(cache_->counters().evictions, 1u);
  EXPECT_EQ(cache_->counters().resident_bytes, 12 * PageBytes());
}

TEST_F(ExpertCacheTest, SeveralPinsHoldOneExpert) {
  ExpertPin first = Load(Key(0, 0));
  ExpertPin second = cache_->TryPin(Key(0, 0));
  ExpertPin moved = std::move(first);
  EXPECT_FALSE(first);  // NOLINT: what a move leaves is part of the contract
  Load(Key(0, 1));
  moved.Reset();
  Load(Key(0, 2));
  EXPECT_EQ(cache_->state(Key(0, 0)), ExpertState::kResident);
  second.Reset();  // now the most recent one
  Load(Key(0, 3));
  EXPECT_EQ(cache_->state(Key(0, 0)), ExpertState::kResident);
  Load(Key(0, 1));
  EXPECT_EQ(cache_->state(Key(0, 0)), ExpertState::kAbsent);
}

TEST_F(ExpertCacheTest, DestructionEmptiesTheSlab) {
  Load(Key(0, 0));
  Load(Key(1, 0));
  cache_.reset();
  EXPECT_EQ(slab_.free_count(0), slab_.slot_count(0));
  EXPECT_EQ(slab_.free_count(1), slab_.slot_count(1));
}

TEST_F(ExpertCacheTest, ResizeKeepsTheBestAndTheirBytes) {
  ASSERT_TRUE(cache_->Resize(SlabBytesMax(classes_)).ok());
  for (std::uint32_t expert = 0; expert < 4; ++expert) {
    for (std::uint32_t layer = 0; layer < 4; ++layer) {
      const std::span<std::byte> slot = cache_->TryReserve(Key(layer, expert));
      std::memset(slot.data(), static_cast<int>(10 * layer + expert), slot.size());
      cache_->Complete(Key(layer, expert));
    }
  }
  // The most recent, least first: small 2.1, 0.0; large 1.2, 3.3.
  for (const ExpertKey key : {Key(2, 1), Key(1, 2), Key(0, 0), Key(3, 3)})
    EXPECT_TRUE(cache_->TryPin(key));
  std::vector<ExpertKey> best;
  cache_->AppendBest(best);
  EXPECT_EQ(best.size(), 16u);
  EXPECT_EQ(best[0], Key(0, 0));

  EXPECT_EQ(cache_->Resize(SlabBytesMin(classes_) - 1).code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(cache_->counters().resident_count, 16u);
  EXPECT_EQ(cache_->counters().evictions, 0u);

  ASSERT_TRUE(cache_->Resize(SlabBytesMin(classes_)).ok());
  EXPECT_EQ(cache_->counters().evictions, 12u);
  EXPECT_EQ(cache_->counters().resident_count, 4u);
  EXPECT_EQ(cache_->counters().resident_bytes, SlabBytesMin(classes_));
  EXPECT_EQ(slab_.committed_bytes(), SlabBytesMin(classes_));
  for (const ExpertKey key : {Key(2, 1), Key(1, 2), Key(0, 0), Key(3, 3)}) {
    const ExpertPin pin = cache_->TryPin(key);
    ASSERT_TRUE(pin);
    for (const std::byte byte : pin.bytes())
      ASSERT_EQ(byte, static_cast<std::byte>(10 * key.layer.value + key.expert.value));
  }
  // The recency is as before: the next newcomer replaces the oldest of its class.
  Load(Key(0, 3));
  EXPECT_EQ(cache_->state(Key(2, 1)), ExpertState::kAbsent);
  EXPECT_EQ(cache_->state(Key(0, 0)), ExpertState::kResident);

  ASSERT_TRUE(cache_->Resize(SlabBytesMax(classes_)).ok());
  EXPECT_EQ(cache_->counters().resident_count, 4u);
  Load(Key(2, 2));
  EXPECT_EQ(cache_->counters().evictions, 13u);
}

TEST_F(ExpertCacheTest, ResizeUnderUseIsABug) {
  ExpertPin pin = Load(Key(0, 0));
  EXPECT_DEATH((void)cache_->Resize(SlabBytesMax(classes_)), "experts in use");
  pin.Reset();
  ASSERT_FALSE(cache_->TryReserve(Key(0, 1)).empty());
  EXPECT_DEATH((void)cache_->Resize(SlabBytesMax(classes_)), "experts in use");
  cache_->Fail(Key(0, 1));
}

TEST_F(ExpertCacheTest, MisuseIsABug) {
  ASSERT_FALSE(cache_->TryReserve(Key(0, 0)).empty());
  EXPECT_DEATH(static_cast<void>(cache_->TryReserve(Key(0, 0))), "single flight");
  cache_->Fail(Key(0, 0));
  EXPECT_DEATH(cache_->Fail(Key(0, 0)), "without a load");
  EXPECT_DEATH(cache_->Complete(Key(0, 0)), "without a load");
  EXPECT_DEATH(static_cast<void>(cache_->TryReserve(Key(4, 0))), "no such expert");
}

// The same cache, written the slow and obvious way.
class ReferenceCache {
 public:
  ReferenceCache(const SlotClasses& classes, const SlotSlab& slab) : classes_(classes) {
    for (std::uint8_t c = 0; c < classes.classes.size(); ++c)
      lru_of_class_.push_back({slab.slot_count(c), {}});
  }

  bool Resident(ExpertKey key) const { return pins_.contains(key); }
  bool Loading(ExpertKey key) const { return loading_.contains(key); }
  bool TryReserve(ExpertKey key) {
    Class& c = ClassOf(key);
    if (c.used == c.slot_count) {
      const auto victim =
          std::ranges::find_if(c.recency, [&](ExpertKey other) { return pins_[other] == 0; });
      if (victim == c.recency.end()) return false;
      pins_.erase(*victim);
      c.recency.erase(victim);
      --c.used;
      ++evictions;
    }
    ++c.used;
    loading_.insert(key);
    return true;
  }
  void Complete(ExpertKey key) {
    loading_.erase(key);
    pins_[key] = 1;
    ClassOf(key).recency.push_back(key);
  }
  void Fail(ExpertKey key) {
    loading_.erase(key);
    --ClassOf(key).used;
  }
  void Pin(ExpertKey key) { ++pins_[key]; }
  void Unpin(ExpertKey key) {
    if (--pins_[key] > 0) return;
    std::erase(ClassOf(key).recency, key);
    ClassOf(key).recency.push_back(key);
  }
  std::uint64_t ResidentBytes() const {
    std::uint64_t bytes = 0;
    for (const auto& [key, count] : pins_)
      bytes += classes_.classes[classes_.class_of[classes_.IndexOf(key)]].slot_bytes;
    return bytes;
  }

  std::uint64_t evictions = 0;

 private:
  struct Class {
    std::uint32_t slot_count;
    std::deque<ExpertKey> recency;  // residents, least recently let go first
    std::uint32_t used = 0;
  };
  Class& ClassOf(ExpertKey key) { return lru_of_class_[classes_.class_of[classes_.IndexOf(key)]]; }

  const SlotClasses& classes_;
  std::vector<Class> lru_of_class_;
  std::map<ExpertKey, int> pins_;  // of residents
  std::set<ExpertKey> loading_;
};

void CompareWithReference(std::uint64_t seed) {
  Random random(seed);
  const SlotClasses classes = TwoClasses(5, static_cast<std::uint32_t>(1 + random.NextBelow(4)));
  SlotSlab slab =
      *SlotSlab::Create(classes, SlabBytesMin(classes) + random.NextBelow(60) * PageBytes());
  ExpertCache cache(classes, &slab, LruPolicy::Make);
  ReferenceCache reference(classes, slab);
  std::vector<ExpertPin> pins;
  std::vector<ExpertKey> loading;
  for (int step = 0; step < 150; ++step) {
    const ExpertKey key = Key(static_cast<std::uint32_t>(random.NextBelow(4)),
                              static_cast<std::uint32_t>(random.NextBelow(5)));
    const std::uint64_t choice = random.NextBelow(8);
    if (choice < 4) {
      ExpertPin pin = cache.TryPin(key);
      ASSERT_EQ(bool(pin), reference.Resident(key));
      if (pin) {
        reference.Pin(key);
        ASSERT_EQ(pin.bytes()[0], static_cast<std::byte>(classes.IndexOf(key)));
        pins.push_back(std::move(pin));
      } else if (!reference.Loading(key)) {
        const std::span<std::byte> slot = cache.TryReserve(key);
        ASSERT_EQ(!slot.empty(), reference.TryReserve(key));
        if (!slot.empty()) {
          std::memset(slot.data(), static_cast<int>(classes.IndexOf(key)), slot.size());
          loading.push_back(key);
        }
      }
    } else if (choice < 6 && !loading.empty()) {
      std::swap(loading[random.NextBelow(loading.size())], loading.back());
      if (choice == 4) {
        pins.push_back(cache.Complete(loading.back()));
        reference.Complete(loading.back());
      } else {
        cache.Fail(loading.back());
        reference.Fail(loading.back());
      }
      loading.pop_back();
    } else if (!pins.empty()) {
      std::swap(pins[random.NextBelow(pins.size())], pins.back());
      reference.Unpin(pins.back().key());
      pins.pop_back();
    }
    for (std::uint32_t i = 0; i < 20; ++i) {
      const ExpertKey other = Key(i / 5, i % 5);
      ASSERT_EQ(cache.state(other) == ExpertState::kResident, reference.Resident(other));
      ASSERT_EQ(cache.state(other) == ExpertState::kLoading, reference.Loading(other));
    }
    ASSERT_EQ(cache.counters().resident_bytes, reference.ResidentBytes());
    ASSERT_EQ(cache.counters().evictions, reference.evictions);
    ASSERT_EQ(cache.counters().loading_count, loading.size());
    ASSERT_EQ(slab.slot_count() - slab.free_count(0) - slab.free_count(1),
              cache.counters().resident_count + cache.counters().loading_count);
  }
  for (const ExpertKey key : loading) cache.Fail(key);
  pins.clear();
  ASSERT_EQ(cache.counters().pinned_count, 0u);
  ASSERT_EQ(cache.counters().loading_count, 0u);
}

TEST(ExpertCacheModelTest, AgreesWithTheReference) {
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    SCOPED_TRACE(seed);
    CompareWithReference(seed);
    if (testing::Test::HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace edgemoe
