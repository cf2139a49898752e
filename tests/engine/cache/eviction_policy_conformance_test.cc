// SPDX-License-Identifier: Apache-2.0
//
// What every policy has to keep, whatever it goes by.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/cache/edgemoe_policy.h"
#include "engine/cache/policy_factory.h"
#include "tests/engine/cache/policy_driver.h"

namespace edgemoe {
namespace {

constexpr PolicyShape kShape{.layer_count = 4, .experts_per_layer = 6, .sessions_max = 3};

class EvictionPolicyConformanceTest : public testing::TestWithParam<std::string> {
 protected:
  static std::unique_ptr<EvictionPolicy> Make() {
    if (GetParam() == "edgemoe-printed")
      return std::make_unique<EdgemoePolicy>(kShape, EdgemoeFormula::kPrinted);
    return (*FindEvictionPolicy(GetParam()))(kShape);
  }
};

TEST_P(EvictionPolicyConformanceTest, TheVictimIsResidentAndNotPinned) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const std::unique_ptr<EvictionPolicy> policy = Make();
    PolicyDriver driver(*policy, kShape, seed);
    driver.check = [&] {
      const std::optional<ExpertKey> victim = policy->Victim();
      ASSERT_EQ(victim.has_value(), !driver.KeysAt(PolicyDriver::Place::kEvictable).empty());
      ASSERT_TRUE(!victim || driver.place(*victim) == PolicyDriver::Place::kEvictable) << seed;
      ASSERT_EQ(policy->Victim(), victim) << "asking changes nothing";
    };
    for (int step = 0; step < 20; ++step) driver.RunStep();
  }
}

TEST_P(EvictionPolicyConformanceTest, EvictingEndsWhenNothingIsLeft) {
  const std::unique_ptr<EvictionPolicy> policy = Make();
  PolicyDriver driver(*policy, kShape, 1);
  for (int step = 0; step < 50; ++step) driver.RunStep();
  std::set<ExpertKey> evicted;
  while (const std::optional<ExpertKey> victim = policy->Victim()) {
    policy->OnErase(*victim);
    ASSERT_TRUE(evicted.insert(*victim).second);
  }
  EXPECT_THAT(driver.KeysAt(PolicyDriver::Place::kEvictable),
              testing::UnorderedElementsAreArray(evicted));
}

TEST_P(EvictionPolicyConformanceTest, TheBestAreDistinctOfItsClassAndInOneOrder) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const std::unique_ptr<EvictionPolicy> policy = Make();
    PolicyDriver driver(*policy, kShape, seed);
    for (int step = 0; step < 20; ++step) driver.RunStep();
    std::vector<ExpertKey> all;
    policy->AppendBest(1000, all);
    ASSERT_EQ(std::set<ExpertKey>(all.begin(), all.end()).size(), all.size());
    for (const ExpertKey key : all)
      ASSERT_NE(driver.place(key), PolicyDriver::Place::kForeign) << "of another class, perhaps";
    ASSERT_FALSE(all.empty());
    std::vector<ExpertKey> some = {{ExpertLayerIndex{9}, ExpertIndex{9}}};
    policy->AppendBest(all.size() / 2, some);
    ASSERT_EQ(some.size(), 1 + all.size() / 2) << "appended";
    ASSERT_TRUE(std::equal(some.begin() + 1, some.end(), all.begin()));
  }
}

// What is used in every token outlives what was used once; also across a change of request.
TEST_P(EvictionPolicyConformanceTest, KeepsWhatIsAlwaysUsed) {
  const std::unique_ptr<EvictionPolicy> policy = Make();
  const ExpertKey steady{ExpertLayerIndex{0}, ExpertIndex{5}};
  std::optional<ExpertKey> last;
  for (std::uint64_t token = 0; token < 200; ++token) {
    const RequestId request{1 + token / 50};
    const ExpertKey rare{ExpertLayerIndex{0}, ExpertIndex{static_cast<std::uint32_t>(token % 5)}};
    policy->OnLayer(ExpertLayerIndex{0});
    for (const ExpertKey key : {rare, steady})
      policy->OnUse({.key = key, .session = SessionSlot{0}, .request = request});
    if (last) {
      ASSERT_EQ(policy->Victim(), last) << token;
      policy->OnErase(*last);
    }
    policy->OnInsert(rare);
    if (token == 0) {
      policy->OnInsert(steady);
    } else {
      policy->OnPin(steady);
    }
    policy->OnUnpin(rare);
    policy->OnUnpin(steady);
    ASSERT_EQ(policy->Victim(), rare) << token;
    last = rare;
  }
}

INSTANTIATE_TEST_SUITE_P(All, EvictionPolicyConformanceTest,
                         testing::Values("lru", "lfu", "lfru", "edgemoe", "edgemoe-printed"),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::erase(name, '-');
                           return name;
                         });

TEST(PolicyFactoryTest, NamesWhatThereIs) {
  EXPECT_EQ(FindEvictionPolicy("fifo").error().message(),
            "found \"fifo\"; accepted: \"lfru\", \"lru\", \"lfu\", \"edgemoe\"");
  for (const char* name : {"lfru", "lru", "lfu", "edgemoe"})
    EXPECT_TRUE(FindEvictionPolicy(name)) << name;
  EXPECT_FALSE(FindEvictionPolicy("edgemoe-printed")) << "for replay only";
}

}  // namespace
}  // namespace edgemoe
