// SPDX-License-Identifier: Apache-2.0
#include "engine/parallel/compute_pool.h"

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <thread>
#include <vector>

#include "engine/base/check.h"

namespace edgemoe {
namespace {

// Longer than the gap between two parallel loops of one layer, shorter than anyone would notice on
// an idle machine.
constexpr std::chrono::microseconds kSpin{30};
constexpr int kPausesPerClockRead = 32;

void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Spins until `condition` holds; false when it did not within the spin time.
template <class Condition>
bool SpinUntil(bool may_spin, Condition condition) {
  if (condition()) return true;
  if (!may_spin) return false;
  const auto end = std::chrono::steady_clock::now() + kSpin;
  do {
    for (int i = 0; i < kPausesPerClockRead; ++i) {
      if (condition()) return true;
      Pause();
    }
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

}  // namespace

// The protocol. Run writes the job's fields, then publishes them by storing `unclaimed`. A thread
// owns an item once its decrement of `unclaimed` returned a positive number; the job then cannot
// end, and its fields cannot change, until that thread has taken the item off `unfinished`. So a
// worker that wakes late, in the middle of a later job, just takes an item of that one: it reads
// the fields after its claim. Nobody waits for a worker that claimed nothing.
struct ComputePool::Impl {
  static constexpr std::size_t kCacheLine = 64;

  void* context = nullptr;
  Task task = nullptr;
  std::int32_t item_count = 0;
  bool may_spin = true;

  alignas(kCacheLine) std::atomic<std::int64_t> unclaimed{0};
  alignas(kCacheLine) std::atomic<std::int32_t> unfinished{0};
  // Counts jobs, so that parked workers have something to wait on.
  alignas(kCacheLine) std::atomic<std::uint32_t> generation{0};
  std::atomic<bool> stopping{false};
  std::vector<std::thread> workers;

  void TakeItems(std::size_t thread) {
    std::int32_t finished = 0;
    while (unclaimed.load(std::memory_order_relaxed) > 0) {
      const std::int64_t left = unclaimed.fetch_sub(1, std::memory_order_acquire);
      if (left <= 0) break;
      task(context, static_cast<std::size_t>(item_count - left), thread);
      ++finished;
    }
    if (finished == 0) return;
    if (unfinished.fetch_sub(finished, std::memory_order_acq_rel) == finished) {
      unfinished.notify_one();
    }
  }

  void WorkerLoop(std::size_t thread) {
    while (true) {
      const std::uint32_t seen = generation.load(std::memory_order_acquire);
      if (stopping.load(std::memory_order_relaxed)) return;
      TakeItems(thread);
      const auto moved = [&] { return generation.load(std::memory_order_relaxed) != seen; };
      if (!SpinUntil(may_spin, moved)) generation.wait(seen, std::memory_order_relaxed);
    }
  }

  // Wakes up to `count` parked workers; those that spin see the new generation by themselves.
  void Announce(std::size_t count) {
    generation.fetch_add(1, std::memory_order_seq_cst);
    if (count >= workers.size()) {
      generation.notify_all();
    } else {
      for (std::size_t i = 0; i < count; ++i) generation.notify_one();
    }
  }

  void WaitUntilFinished() {
    const auto finished = [&] { return unfinished.load(std::memory_order_acquire) == 0; };
    if (SpinUntil(may_spin, finished)) return;
    while (true) {
      const std::int32_t left = unfinished.load(std::memory_order_acquire);
      if (left == 0) return;
      unfinished.wait(left, std::memory_order_acquire);
    }
  }
};

ComputePool::ComputePool(std::size_t thread_count, Idle idle) : impl_(std::make_unique<Impl>()) {
  EDGEMOE_CHECK(thread_count >= 1, "a pool has at least the calling thread");
  // With fewer cores than threads a spinning thread only keeps a working one from its core.
  impl_->may_spin =
      idle == Idle::kSpinThenPark && thread_count <= std::thread::hardware_concurrency();
  impl_->workers.reserve(thread_count - 1);
  for (std::size_t thread = 1; thread < thread_count; ++thread) {
    impl_->workers.emplace_back([impl = impl_.get(), thread] {
      pthread_setname_np(pthread_self(), "edgemoe-compute");
      impl->WorkerLoop(thread);
    });
  }
}

ComputePool::~ComputePool() {
  impl_->stopping.store(true, std::memory_order_relaxed);
  impl_->Announce(impl_->workers.size());
  for (std::thread& worker : impl_->workers) worker.join();
}

std::size_t ComputePool::thread_count() const { return impl_->workers.size() + 1; }

void ComputePool::Run(std::size_t item_count, void* context, Task task) {
  if (impl_->workers.empty() || item_count <= 1) {
    for (std::size_t item = 0; item < item_count; ++item) task(context, item, 0);
    return;
  }
  EDGEMOE_CHECK(item_count <= std::numeric_limits<std::int32_t>::max(), "too many items");
  const auto count = static_cast<std::int32_t>(item_count);
  impl_->context = context;
  impl_->task = task;
  impl_->item_count = count;
  impl_->unfinished.store(count, std::memory_order_relaxed);
  impl_->unclaimed.store(count, std::memory_order_release);
  impl_->Announce(item_count - 1);
  impl_->TakeItems(0);
  impl_->WaitUntilFinished();
}

}  // namespace edgemoe
