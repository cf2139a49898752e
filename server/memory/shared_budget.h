// SPDX-License-Identifier: Apache-2.0
//
// The daemon's memory budget, shared out between the engine and a pack job: what the job has, the
// engine's experts have given up. Where no model is loaded it is all a job's.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "engine/base/log.h"
#include "engine/base/mutex.h"
#include "engine/pack.h"
#include "server/models/engine_slot.h"

namespace edgemoe {

class SharedBudget;

// A job's part of the budget; the engine has it again when this is destroyed.
class BudgetLoan {
 public:
  BudgetLoan() = default;  // of nothing
  ~BudgetLoan() { GiveBack(); }
  BudgetLoan(BudgetLoan&& other) noexcept
      : budget_(std::exchange(other.budget_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  BudgetLoan& operator=(BudgetLoan&& other) noexcept;

  void GiveBack();
  std::uint64_t bytes() const { return bytes_; }

 private:
  friend class SharedBudget;
  BudgetLoan(SharedBudget* budget, std::uint64_t bytes) : budget_(budget), bytes_(bytes) {}

  SharedBudget* budget_ = nullptr;
  std::uint64_t bytes_ = 0;
};

// Invariants:
//   1. A loan neither ends early nor changes its size: when the total does, the engine's part does.
//   2. At most one loan at a time. When it ends, the engine gets back what it gave up for it.
//   3. A budget that nobody has set is no more than the engine has a use for. A loan then takes
//      first what is usable beside it, up to three quarters of usable memory in all.
//
// Thread-safe. Calls that resize the engine wait for the step that runs, and for each other.
class SharedBudget {
 public:
  // `engines` outlives this. `budget_bytes`: as configured; 0: set by nobody.
  SharedBudget(const EngineSlot& engines, std::uint64_t budget_bytes, LogSink log)
      : engines_(engines),
        log_(std::move(log)),
        automatic_(budget_bytes == 0),
        configured_bytes_(budget_bytes) {}

  // Another configuration, for a model that is to be loaded.
  void Configure(std::uint64_t budget_bytes) EXCLUDES(mutex_);

  // Another budget for engine and loan; 0: the default one, FAILED_PRECONDITION during a loan.
  // Gives the engine's plan; its explanation tells of a loan. UNAVAILABLE while the engine loads;
  // RESOURCE_EXHAUSTED says the least that works; others as Engine::Resize.
  Result<MemoryPlan> Resize(std::uint64_t budget_bytes) EXCLUDES(mutex_);

  // For the memory watcher: the budget that the engine has, or will have again after a loan, and
  // its least. UNAVAILABLE while the engine loads.
  struct EngineShare {
    std::uint64_t budget_bytes = 0;
    std::uint64_t floor_bytes = 0;  // with what is given up for a loan
  };
  Result<EngineShare> engine_share() const EXCLUDES(mutex_);
  Status Adapt(std::uint64_t budget_bytes) EXCLUDES(mutex_);

  // Lends what a job has a use for: half of what is beyond the engine's floor, or `wanted_bytes`
  // when that is not 0, but at least `need.least_bytes` and at most `need.useful_bytes`.
  // RESOURCE_EXHAUSTED names budget, the engine's floor and the job's least; INVALID_ARGUMENT:
  // `wanted_bytes`, named memory_bytes, is below the least; UNAVAILABLE while the engine loads.
  Result<BudgetLoan> Lend(const PackMemory& need, std::uint64_t wanted_bytes) EXCLUDES(mutex_);

 private:
  friend class BudgetLoan;
  // What there is to lend from: the engine's plan, or, where no model is loaded, one without it.
  Result<MemoryPlan> PlanInForce(const Result<EngineLease>& engine) const REQUIRES(mutex_);
  void TakeBack() EXCLUDES(mutex_);

  const EngineSlot& engines_;
  const LogSink log_;
  mutable Mutex mutex_;
  bool automatic_ GUARDED_BY(mutex_);
  std::uint64_t configured_bytes_ GUARDED_BY(mutex_);
  std::uint64_t lent_bytes_ GUARDED_BY(mutex_) = 0;
  std::uint64_t given_up_bytes_ GUARDED_BY(mutex_) = 0;  // of these, by the engine
  EngineLease lender_ GUARDED_BY(mutex_);  // during a loan: who gave up memory for it, or may
};

}  // namespace edgemoe
