// SPDX-License-Identifier: Apache-2.0
#include "server/memory/request_memory.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "tests/support/fake_clock.h"

namespace edgemoe {
namespace {

class RequestMemoryTest : public testing::Test {
 protected:
  ~RequestMemoryTest() override { thread_.Join(); }
  void Pass(std::uint64_t ms) {
    clock_.Advance(ms * 1'000'000);
    for (int round = 0; round < 2; ++round) {
      std::promise<void> done;
      thread_.Post([&] { done.set_value(); });
      done.get_future().wait();
    }
  }

  FakeClock clock_;
  StreamThread thread_{clock_};
  std::atomic<int> trims_ = 0;
  RequestMemory memory_{thread_, [this] { ++trims_; }};
};

TEST_F(RequestMemoryTest, LargeRequestsAreBoundedAndLeaveRoomForSmallOnes) {
  constexpr std::uint64_t kQuarter = RequestMemory::kBytesMax / 4;
  {
    auto first = memory_.MakeShare();
    auto rest = memory_.MakeShare();
    EXPECT_TRUE(first.TryResize(kQuarter));
    EXPECT_TRUE(rest.TryResize(3 * kQuarter));
    auto late = memory_.MakeShare();
    EXPECT_FALSE(late.TryResize(RequestMemory::kLargeBytes));
    EXPECT_TRUE(late.TryResize(100));
    EXPECT_TRUE(first.TryResize(100)) << "less is always possible";
    EXPECT_TRUE(late.TryResize(RequestMemory::kLargeBytes));
  }
  EXPECT_EQ(memory_.held_bytes(), 0U);
}

TEST_F(RequestMemoryTest, TheHeapIsTrimmedOnceAfterCallsHaveEnded) {
  for (int call = 0; call < 3; ++call) EXPECT_TRUE(memory_.MakeShare().TryResize(10));
  Pass(RequestMemory::kTrimAfterMs - 1);
  EXPECT_EQ(trims_, 0);
  Pass(1);
  EXPECT_EQ(trims_, 1);
  Pass(RequestMemory::kTrimAfterMs);
  EXPECT_EQ(trims_, 1) << "nothing has ended since";
  (void)memory_.MakeShare();
  Pass(RequestMemory::kTrimAfterMs);
  EXPECT_EQ(trims_, 2);
}

}  // namespace
}  // namespace edgemoe
