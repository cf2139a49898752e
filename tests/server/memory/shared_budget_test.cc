// SPDX-License-Identifier: Apache-2.0
#include "server/memory/shared_budget.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "engine/pack.h"
#include "tests/server/fake_engine.h"
#include "tests/support/child_process.h"

namespace edgemoe {
namespace {

using testing::HasSubstr;

constexpr PackMemory kNeed = {.least_bytes = 2000, .useful_bytes = 4000};

// An engine of 10,000 bytes, of which it needs 1,000.
class SharedBudgetTest : public testing::Test {
 protected:
  explicit SharedBudgetTest(std::uint64_t budget_bytes = 10'000)
      : engine_({.usable_bytes = 16'000}), budget_(slot_, budget_bytes, {}) {
    slot_.Publish(engine_);
  }

  std::uint64_t engine_bytes() const { return engine_.GetStats().memory.budget_bytes; }

  FakeEngine engine_;
  EngineSlot slot_;
  SharedBudget budget_;
};

TEST_F(SharedBudgetTest, LendsHalfOfWhatIsBeyondTheFloorWithinTheJobsBounds) {
  const auto lent = [&](PackMemory need, std::uint64_t wanted) {
    const auto loan = budget_.Lend(need, wanted);
    EXPECT_EQ(engine_bytes(), 10'000 - (loan ? loan->bytes() : 0));
    return loan ? loan->bytes() : 0;
  };
  EXPECT_EQ(lent({.least_bytes = 100, .useful_bytes = 9000}, 0), 4500u);
  EXPECT_EQ(lent({.least_bytes = 100, .useful_bytes = 3000}, 0), 3000u);
  EXPECT_EQ(lent({.least_bytes = 8000, .useful_bytes = 9000}, 0), 8000u);
  EXPECT_EQ(lent({.least_bytes = 9000, .useful_bytes = 9000}, 0), 9000u);
  EXPECT_EQ(lent({.least_bytes = 9001, .useful_bytes = 9500}, 0), 0u);
  EXPECT_EQ(lent({.least_bytes = 100, .useful_bytes = 9000}, 200), 200u);
  EXPECT_EQ(lent({.least_bytes = 100, .useful_bytes = 9000}, 9'999), 9000u);
  EXPECT_EQ(lent({.least_bytes = 100, .useful_bytes = 9999}, 9'999), 0u) << "more than there is";
  EXPECT_EQ(lent({}, 0), 0u);
  EXPECT_EQ(engine_bytes(), 10'000u);
}

TEST_F(SharedBudgetTest, ErrorsNameWhatThereIs) {
  const auto large = budget_.Lend({.least_bytes = 20'480, .useful_bytes = 20'480}, 0);
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(large.error().message(), HasSubstr("memory.budget is 9.77 KiB"));
  EXPECT_THAT(large.error().message(), HasSubstr("at least 20 KiB"));
  const EngineSlot empty;
  EXPECT_EQ(SharedBudget(empty, 10'000, {}).Lend(kNeed, 0).error().code(),
            StatusCode::kUnavailable);
}

TEST(SharedBudgetWithoutModel, LendsFromTheConfiguredBudget) {
  EngineSlot slot;
  slot.Refuse(FailedPreconditionError("none").WithReason(Reason::kNoModel));
  SharedBudget budget(slot, 10'000, {});
  {
    const auto loan = budget.Lend({.least_bytes = 100, .useful_bytes = 9000}, 0);
    ASSERT_TRUE(loan);
    EXPECT_EQ(loan->bytes(), 5000U);
  }
  EXPECT_EQ(budget.Lend({.least_bytes = 10'001, .useful_bytes = 20'000}, 0).error().reason(),
            Reason::kBudgetTooSmall);
  budget.Configure(20'000);
  EXPECT_TRUE(budget.Lend({.least_bytes = 10'001, .useful_bytes = 20'000}, 0));
}

TEST_F(SharedBudgetTest, TheEngineStaysUntilItHasItsMemoryBack) {
  auto loan = budget_.Lend(kNeed, 0);
  ASSERT_TRUE(loan);
  auto withdrawal = std::async(std::launch::async, [&] { slot_.Withdraw(); });
  ASSERT_TRUE(WaitUntil([&] { return !slot_.LeaseDefault(); }));
  EXPECT_EQ(engine_bytes(), 6000u);
  loan->GiveBack();
  EXPECT_EQ(engine_bytes(), 10'000u);
  withdrawal.wait();
}

TEST_F(SharedBudgetTest, AResizeMeanwhileIsOfBothTogether) {
  auto loan = budget_.Lend(kNeed, 0);
  ASSERT_TRUE(loan);
  ASSERT_TRUE(budget_.Resize(7000));
  EXPECT_EQ(engine_bytes(), 3000u);
  EXPECT_FALSE(budget_.Resize(4999)) << "the engine's floor is 1,000";
  ASSERT_TRUE(budget_.Resize(12'000));
  EXPECT_EQ(engine_bytes(), 8000u);
  loan->GiveBack();
  EXPECT_EQ(engine_bytes(), 12'000u);
  loan->GiveBack();
  EXPECT_EQ(engine_bytes(), 12'000u);
}

TEST_F(SharedBudgetTest, TheWatcherSeesAHigherFloorAndNoOtherChange) {
  const auto before = budget_.engine_share();
  EXPECT_EQ(before->budget_bytes, 10'000u);
  EXPECT_EQ(before->floor_bytes, 1000u);
  {
    const auto loan = budget_.Lend(kNeed, 0);
    EXPECT_EQ(budget_.engine_share()->budget_bytes, 10'000u);
    EXPECT_EQ(budget_.engine_share()->floor_bytes, 5000u);
    EXPECT_TRUE(budget_.Adapt(6000).ok());
    EXPECT_EQ(engine_bytes(), 2000u);
    EXPECT_EQ(budget_.Adapt(4999).code(), StatusCode::kResourceExhausted);
  }
  EXPECT_EQ(engine_bytes(), 6000u);
}

class AutomaticBudgetTest : public SharedBudgetTest {
 protected:
  AutomaticBudgetTest() : SharedBudgetTest(0) {}
};

// 12,000 bytes may be used in all.
TEST_F(AutomaticBudgetTest, TakesFirstWhatTheEngineHasNoUseFor) {
  {
    const auto loan = budget_.Lend(kNeed, 2000);
    EXPECT_EQ(loan->bytes(), 2000u);
    EXPECT_EQ(engine_bytes(), 10'000u);
    EXPECT_EQ(budget_.engine_share()->floor_bytes, 1000u);
  }
  {
    const auto loan = budget_.Lend(kNeed, 3000);
    EXPECT_EQ(engine_bytes(), 9000u);
    EXPECT_EQ(budget_.engine_share()->floor_bytes, 2000u);
  }
  EXPECT_EQ(engine_bytes(), 10'000u);
}

TEST_F(AutomaticBudgetTest, WhatSomebodySetHoldsForTheJobToo) {
  {
    const auto loan = budget_.Lend(kNeed, 2000);
    ASSERT_TRUE(budget_.Resize(10'000));
    EXPECT_EQ(engine_bytes(), 8000u);
  }
  EXPECT_EQ(engine_bytes(), 10'000u);
  const auto loan = budget_.Lend(kNeed, 2000);
  EXPECT_EQ(engine_bytes(), 8000u);
}

}  // namespace
}  // namespace edgemoe
