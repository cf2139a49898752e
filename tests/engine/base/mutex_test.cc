// SPDX-License-Identifier: Apache-2.0
#include "engine/base/mutex.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>
#include <vector>

namespace edgemoe {
namespace {

struct Shared {
  Mutex mutex;
  CondVar changed;
  int count GUARDED_BY(mutex) = 0;
};

TEST(MutexTest, KeepsThreadsApart) {
  Shared shared;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&shared] {
      for (int i = 0; i < 10000; ++i) {
        MutexLock lock(shared.mutex);
        ++shared.count;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  MutexLock lock(shared.mutex);
  EXPECT_EQ(shared.count, 40000);
}

TEST(CondVarTest, WakesAWaiter) {
  Shared shared;
  std::thread setter([&shared] {
    MutexLock lock(shared.mutex);
    shared.count = 1;
    shared.changed.NotifyAll();
  });
  {
    MutexLock lock(shared.mutex);
    while (shared.count == 0) shared.changed.Wait(shared.mutex);
    EXPECT_EQ(shared.count, 1);
  }
  setter.join();
}

TEST(CondVarTest, WaitForHoldsTheMutexAfterwards) {
  Shared shared;
  MutexLock lock(shared.mutex);
  (void)shared.changed.WaitFor(shared.mutex, std::chrono::nanoseconds(1));
  shared.count = 2;  // ThreadSanitizer and the annotations watch
  EXPECT_EQ(shared.count, 2);
}

}  // namespace
}  // namespace edgemoe
