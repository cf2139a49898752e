// SPDX-License-Identifier: Apache-2.0
#include "server/threads/stream_thread.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <optional>
#include <vector>

#include "tests/support/fake_clock.h"

namespace edgemoe {
namespace {

using ::testing::ElementsAre;

class StreamThreadTest : public ::testing::Test {
 protected:
  // Waits until the thread has done what it had to do by now.
  void Settle() {
    std::promise<void> reached;
    thread_.Post([&] { reached.set_value(); });
    reached.get_future().wait();
  }
  void PassMs(std::uint64_t ms) {
    clock_.Advance(ms * kNsPerMs);
    Settle();
  }
  std::function<void()> Note(int number) {
    return [this, number] { ran_.push_back(number); };
  }

  FakeClock clock_;
  StreamThread thread_{clock_};
  std::vector<int> ran_;  // on the thread
};

TEST_F(StreamThreadTest, RunsTasksInTheirOrder) {
  for (int i = 0; i < 3; ++i) thread_.Post(Note(i));
  Settle();
  EXPECT_THAT(ran_, ElementsAre(0, 1, 2));
}

TEST_F(StreamThreadTest, RunsATimerWhenItIsDueAndNotBefore) {
  const auto late = thread_.After(20, Note(20));
  const auto early = thread_.After(10, Note(10));
  PassMs(9);
  EXPECT_TRUE(ran_.empty());
  PassMs(1);
  EXPECT_THAT(ran_, ElementsAre(10));
  PassMs(100);
  EXPECT_THAT(ran_, ElementsAre(10, 20));
  PassMs(100);
  EXPECT_THAT(ran_, ElementsAre(10, 20)) << "once";
}

TEST_F(StreamThreadTest, ADroppedTimerDoesNotRun) {
  auto kept = thread_.After(10, Note(1));
  std::optional<StreamThread::Timer> dropped = thread_.After(10, Note(2));
  dropped.reset();
  auto replaced = thread_.After(10, Note(3));
  replaced = thread_.After(20, Note(4));
  const auto moved = std::move(kept);
  PassMs(100);
  EXPECT_THAT(ran_, ElementsAre(1, 4));
}

TEST_F(StreamThreadTest, ATimerMayDropItselfAndMakeAnother) {
  StreamThread::Timer timer;
  timer = thread_.After(10, [&] { timer = thread_.After(5, Note(1)); });
  PassMs(10);
  EXPECT_TRUE(ran_.empty());
  PassMs(5);
  EXPECT_THAT(ran_, ElementsAre(1));
}

TEST_F(StreamThreadTest, JoinRunsWhatWasPostedAndDropsTimers) {
  const auto held = std::make_shared<int>();
  const auto timer = thread_.After(10, [held] {});
  thread_.Post(Note(1));
  thread_.Join();
  EXPECT_THAT(ran_, ElementsAre(1));
  EXPECT_EQ(held.use_count(), 1);
  thread_.Post(Note(2));
  const auto later = thread_.After(0, Note(3));
  thread_.Join();
  EXPECT_THAT(ran_, ElementsAre(1));
}

TEST(StreamThreadLifeTest, ATimerMayOutliveTheThread) {
  const SteadyClock clock;
  std::optional<StreamThread::Timer> timer;
  {
    StreamThread thread(clock);
    timer = thread.After(3'600'000, [] {});
  }
  timer.reset();
}

TEST(StreamThreadLifeTest, RunsATimerByARealClock) {
  const SteadyClock clock;
  StreamThread thread(clock);
  std::promise<void> ran;
  const std::uint64_t begin_ns = clock.NowNs();
  const auto timer = thread.After(1, [&] { ran.set_value(); });
  ran.get_future().wait();
  EXPECT_GE(clock.NowNs() - begin_ns, kNsPerMs);
}

}  // namespace
}  // namespace edgemoe
