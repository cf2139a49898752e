// SPDX-License-Identifier: Apache-2.0
#include "server/threads/worker_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace edgemoe {
namespace {

TEST(WorkerPoolTest, TakesNoMoreTasksThanItsBound) {
  std::atomic<int> ran = 0;
  WorkerPool pool(1, 3);
  std::promise<void> release;
  const std::shared_future<void> released = release.get_future().share();
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(pool.TryPost([&, released] {
      released.wait();
      ++ran;
    }));
  }
  EXPECT_FALSE(pool.TryPost([&] { ran += 100; })) << "one runs, two wait";
  release.set_value();
  pool.Join();
  EXPECT_EQ(ran, 3);
}

TEST(WorkerPoolTest, LargeTasksRunOneAtATimeAndLeaveAThread) {
  WorkerPool pool(2, 16);
  std::atomic<int> at_once = 0;
  std::promise<void> release;
  const std::shared_future<void> released = release.get_future().share();
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(pool.TryPostLarge([&, released] {
      EXPECT_EQ(++at_once, 1);
      released.wait();
      --at_once;
    }));
  }
  std::promise<void> small;
  EXPECT_TRUE(pool.TryPost([&] { small.set_value(); }));
  small.get_future().wait();
  release.set_value();
  pool.Join();
}

}  // namespace
}  // namespace edgemoe
