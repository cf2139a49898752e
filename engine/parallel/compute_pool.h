// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>

namespace edgemoe {

// The threads that compute: `thread_count - 1` workers beside the thread that calls ParallelFor,
// which takes part. Workers spin briefly after a job, then park, so that an idle daemon costs
// nothing.
//
// Threads: ParallelFor is called by one thread at a time (the engine's thread); the pool is
// destroyed by it too. Cost: no allocation and no lock on ParallelFor while the workers spin; one
// wake-up a parked worker otherwise.
class ComputePool {
 public:
  // What a worker does between jobs.
  enum class Idle {
    kSpinThenPark,  // where there are fewer cores than threads: kPark
    kPark,
  };

  // REQUIRES: thread_count >= 1. With 1 everything runs on the caller.
  explicit ComputePool(std::size_t thread_count, Idle idle = Idle::kSpinThenPark);
  ~ComputePool();
  ComputePool(const ComputePool&) = delete;
  ComputePool& operator=(const ComputePool&) = delete;

  std::size_t thread_count() const;

  // Runs function(item, thread) for every item in [0, item_count), items handed out one after
  // another to whichever thread is free; `thread` in [0, thread_count) names the scratch space.
  // Returns when all are done; what the items wrote is then visible to the caller. `function` must
  // not throw or call ParallelFor. REQUIRES: item_count < 2^31.
  template <class Function>
  void ParallelFor(std::size_t item_count, Function&& function) {
    void* context_pointer = const_cast<void*>(static_cast<const void*>(std::addressof(function)));
    Run(item_count, context_pointer, [](void* context, std::size_t item, std::size_t thread) {
      (*static_cast<std::remove_reference_t<Function>*>(context))(item, thread);
    });
  }

 private:
  using Task = void (*)(void* context, std::size_t item, std::size_t thread);
  void Run(std::size_t item_count, void* context, Task task);

  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace edgemoe
