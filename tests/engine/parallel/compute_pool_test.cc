// SPDX-License-Identifier: Apache-2.0
#include "engine/parallel/compute_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <numeric>
#include <thread>
#include <vector>

namespace edgemoe {
namespace {

class ComputePoolTest : public testing::TestWithParam<std::size_t> {};

// Plain, unsynchronised counters: the pool alone has to make them visible (ThreadSanitizer checks).
TEST_P(ComputePoolTest, RunsEveryItemExactlyOnce) {
  ComputePool pool(GetParam());
  ASSERT_EQ(pool.thread_count(), GetParam());
  for (const std::size_t item_count : {0u, 1u, 2u, 3u, 7u, 64u, 1000u}) {
    std::vector<int> runs(item_count, 0);
    pool.ParallelFor(item_count, [&](std::size_t item, std::size_t) { ++runs.at(item); });
    EXPECT_EQ(runs, std::vector<int>(item_count, 1)) << item_count << " items";
  }
}

TEST_P(ComputePoolTest, ThreadNamesAPrivateScratchSpace) {
  ComputePool pool(GetParam());
  std::vector<std::uint64_t> sums(pool.thread_count(), 0);
  pool.ParallelFor(5000, [&](std::size_t item, std::size_t thread) { sums.at(thread) += item; });
  EXPECT_EQ(std::accumulate(sums.begin(), sums.end(), std::uint64_t{0}), 5000u * 4999u / 2);
}

TEST_P(ComputePoolTest, EachLoopSeesWhatTheLastOneWrote) {
  ComputePool pool(GetParam());
  std::vector<std::uint32_t> from(37, 0);
  std::vector<std::uint32_t> to(37, 0);
  constexpr std::uint32_t kLoops = 3000;
  for (std::uint32_t loop = 0; loop < kLoops; ++loop) {
    pool.ParallelFor(from.size(), [&](std::size_t item, std::size_t) {
      to[item] = from[(item + 1) % from.size()] + 1;
    });
    from.swap(to);
  }
  EXPECT_EQ(from, std::vector<std::uint32_t>(37, kLoops));
}

// Item counts around the number of threads: workers that wake late meet the next job.
TEST_P(ComputePoolTest, ShortJobsInQuickSuccession) {
  ComputePool pool(GetParam());
  std::uint64_t expected = 0;
  std::vector<std::uint64_t> counts(10, 0);
  for (std::size_t job = 0; job < 4000; ++job) {
    const std::size_t item_count = job % counts.size() + 1;
    expected += item_count;
    pool.ParallelFor(item_count, [&](std::size_t item, std::size_t) { ++counts[item]; });
  }
  EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), std::uint64_t{0}), expected);
}

TEST_P(ComputePoolTest, ParkedWorkersWakeUp) {
  ComputePool pool(GetParam(), ComputePool::Idle::kPark);
  for (int round = 0; round < 100; ++round) {
    // Every thread has to take part: each item waits for all others.
    std::atomic<std::size_t> arrived = 0;
    pool.ParallelFor(pool.thread_count(), [&](std::size_t, std::size_t) {
      arrived.fetch_add(1);
      while (arrived.load() < pool.thread_count()) std::this_thread::yield();
    });
    EXPECT_EQ(arrived.load(), pool.thread_count());
  }
}

TEST_P(ComputePoolTest, TakesConstFunctionsAndDiesIdle) {
  ComputePool pool(GetParam());
  std::atomic<std::size_t> runs = 0;
  const auto function = [&](std::size_t, std::size_t) { runs.fetch_add(1); };
  pool.ParallelFor(12, function);
  EXPECT_EQ(runs.load(), 12u);
}

INSTANTIATE_TEST_SUITE_P(Threads, ComputePoolTest, testing::Range<std::size_t>(1, 9));

}  // namespace
}  // namespace edgemoe
