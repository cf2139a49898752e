// SPDX-License-Identifier: Apache-2.0
#include "server/models/engine_slot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "tests/server/fake_engine.h"
#include "tests/support/child_process.h"

namespace edgemoe {
namespace {

using ::testing::HasSubstr;

TEST(EngineSlotTest, LeasesOnceThereIsAnEngine) {
  EngineSlot slot;
  slot.SetProgress(1, 8);
  EXPECT_EQ(slot.LeaseDefault().error().code(), StatusCode::kUnavailable);
  EXPECT_THAT(slot.LeaseDefault().error().message(), HasSubstr("loading 12 %"));
  FakeEngine engine({});
  slot.Publish(engine);
  EXPECT_EQ(slot.LeaseDefault()->get(), &engine);
}

TEST(EngineSlotTest, SaysWhyThereIsNoneUntilOneIsExpected) {
  EngineSlot slot;
  slot.Refuse(FailedPreconditionError("no model").WithReason(Reason::kNoModel));
  EXPECT_EQ(slot.LeaseDefault().error().reason(), Reason::kNoModel);
  slot.Expect();
  EXPECT_EQ(slot.LeaseDefault().error().reason(), Reason::kLoading);
}

TEST(EngineSlotTest, WithdrawWaitsForEveryLease) {
  FakeEngine engine({});
  EngineSlot slot;
  slot.Publish(engine);
  EngineLease first = *slot.LeaseDefault();
  EngineLease second = *slot.LeaseDefault();
  std::atomic<bool> withdrawn = false;
  auto withdrawal = std::async(std::launch::async, [&] {
    slot.Withdraw();
    withdrawn = true;
  });
  // From the moment on at which nothing is leased any more, Withdraw waits for these two.
  EXPECT_TRUE(WaitUntil([&] { return !slot.LeaseDefault(); }));
  first.reset();
  EXPECT_FALSE(withdrawn);
  EngineLease copy = second;
  second.reset();
  EXPECT_FALSE(withdrawn);
  EXPECT_EQ(copy->model().name, "fake");
  copy.reset();
  withdrawal.wait();
  EXPECT_TRUE(withdrawn);
}

TEST(EngineSlotTest, AnotherEngineMayFollow) {
  EngineSlot slot;
  FakeEngine first({});
  slot.Publish(first);
  slot.Withdraw();
  EXPECT_FALSE(slot.LeaseDefault());
  FakeEngine second({});
  slot.Publish(second);
  EXPECT_EQ(slot.LeaseDefault()->get(), &second);
  slot.Withdraw();
  slot.Withdraw();
}

TEST(EngineSlotDeathTest, ALeaseThatOutlivesTheSlotIsABug) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        FakeEngine engine({});
        EngineLease lease;
        EngineSlot slot;
        slot.Publish(engine);
        lease = *slot.LeaseDefault();
      },
      "every lease has come back");
}

}  // namespace
}  // namespace edgemoe
