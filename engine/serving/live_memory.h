// SPDX-License-Identifier: Apache-2.0
//
// The memory of an engine that runs: how its expert slab becomes smaller and larger under it.
#pragma once

#include <cstdint>
#include <string>

#include "engine/base/mutex.h"
#include "engine/cache/expert_cache.h"
#include "engine/cache/memory_budget.h"
#include "engine/cache/slot_slab.h"
#include "engine/io/block_reader.h"
#include "engine/options.h"
#include "engine/plan.h"
#include "engine/stream/pipeline/expert_pipeline.h"

namespace edgemoe {

// Only experts give way: dense weights, sequence state and workspace keep what they have, so that
// every session lives on, and the same tokens come out at every size.
//
// Invariants:
//   1. What is reserved in the budget, the budget's total and the plan agree after each call.
//   2. The slab has the plan's expert_bytes, or while `at_floor` one token's demand.
//
// Threads: confined to the engine's thread between steps, but for `state`.
class LiveMemory {
 public:
  // All outlive this object and are its own to change; `experts` is the slab's reservation. Tells
  // the reader which memory is the slab's.
  struct Parts {
    MemoryBudget* budget = nullptr;
    SlotSlab* slab = nullptr;
    ExpertCache* cache = nullptr;
    BlockReader* reader = nullptr;
    ExpertPipeline* pipeline = nullptr;
  };
  LiveMemory(const Parts& parts, MemoryReservation experts, MemoryPlan plan,
             const EngineOptions& options);

  // Another budget for everything; 0: the default one. RESOURCE_EXHAUSTED says the least that
  // works, or that less is usable here, or that the kernel has no memory; then nothing has changed,
  // but that experts may have left the cache. `usable_bytes` 0: unknown.
  Result<MemoryPlan> Resize(std::uint64_t budget_bytes, std::uint64_t usable_bytes);

  // The slab at its least, and back at what the plan gives it. Back may be RESOURCE_EXHAUSTED; the
  // slab is then at its least still.
  Status GoToFloor();
  Status ComeBack();
  bool at_floor() const { return at_floor_; }
  const MemoryPlan& plan() const { return plan_; }

  struct State {
    MemoryPlan plan;
    std::uint64_t slab_bytes = 0;  // that there are now
    std::string buffers_note;      // why the slab is not registered; empty: it is, or need not be
  };
  State state() const EXCLUDES(mutex_);  // thread-safe

 private:
  Status SetSlab(std::uint64_t bytes);
  Status Grow(const MemoryPlan& plan);
  std::uint64_t SlabBytes(const MemoryPlan& plan) const {
    return at_floor_ ? plan.expert_floor_bytes : plan.expert_bytes;
  }
  void Publish(std::string buffers_note) EXCLUDES(mutex_);
  void PublishPlan() EXCLUDES(mutex_);

  const Parts parts_;
  const EngineOptions& options_;
  MemoryReservation experts_;
  MemoryPlan plan_;
  bool at_floor_ = false;
  mutable Mutex mutex_;
  State state_ GUARDED_BY(mutex_);
};

}  // namespace edgemoe
