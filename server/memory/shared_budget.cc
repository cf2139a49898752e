// SPDX-License-Identifier: Apache-2.0
#include "server/memory/shared_budget.h"

#include <algorithm>

#include "engine/base/accepted.h"
#include "engine/base/byte_size.h"
#include "engine/base/check.h"
#include "engine/base/system/usable_memory.h"
#include "engine/pack.h"

namespace edgemoe {
namespace {

Status Shrink(Engine& engine, const MemoryPlan& plan, std::uint64_t bytes) {
  const Result<MemoryPlan> smaller = engine.Resize(plan.budget_bytes - bytes);
  return smaller ? OkStatus() : smaller.error();
}

}  // namespace

BudgetLoan& BudgetLoan::operator=(BudgetLoan&& other) noexcept {
  std::swap(budget_, other.budget_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

void BudgetLoan::GiveBack() {
  if (SharedBudget* const budget = std::exchange(budget_, nullptr)) budget->TakeBack();
  bytes_ = 0;
}

void SharedBudget::Configure(std::uint64_t budget_bytes) {
  const MutexLock lock(mutex_);
  automatic_ = budget_bytes == 0;
  configured_bytes_ = budget_bytes;
}

Result<MemoryPlan> SharedBudget::Resize(std::uint64_t budget_bytes) {
  const MutexLock lock(mutex_);
  EDGEMOE_ASSIGN_OR_FAIL(const EngineLease engine, engines_.LeaseDefault());
  const std::uint64_t floor_bytes = engine->GetStats().memory.budget_floor_bytes + lent_bytes_;
  const bool automatic = budget_bytes == 0;
  if (automatic && lent_bytes_ != 0)
    return Failure(FailedPreconditionError(
                       "budget_bytes: the default comes back when the pack job that runs has ended")
                       .WithReason(Reason::kBusy));
  if (lent_bytes_ != 0 && budget_bytes < floor_bytes)
    return Failure(Status(StatusCode::kResourceExhausted, "budget_bytes",
                          FoundAndAccepted(FormatByteSize(budget_bytes),
                                           "at least " + FormatLeastByteSize(floor_bytes) +
                                               ", of which the pack job that runs has " +
                                               FormatByteSize(lent_bytes_)))
                       .WithReason(Reason::kBudgetTooSmall));
  EDGEMOE_ASSIGN_OR_FAIL(MemoryPlan plan, engine->Resize(budget_bytes - lent_bytes_));
  automatic_ = automatic;
  given_up_bytes_ = lent_bytes_;
  if (lent_bytes_ != 0)
    plan.explanation += (plan.explanation.empty() ? "a further " : "; a further ") +
                        FormatByteSize(lent_bytes_) + " are a pack job's until it ends";
  return plan;
}

Result<SharedBudget::EngineShare> SharedBudget::engine_share() const {
  const MutexLock lock(mutex_);
  EDGEMOE_ASSIGN_OR_FAIL(const EngineLease engine, engines_.LeaseDefault());
  const MemoryPlan plan = engine->GetStats().memory;
  return EngineShare{.budget_bytes = plan.budget_bytes + given_up_bytes_,
                     .floor_bytes = plan.budget_floor_bytes + given_up_bytes_};
}

Status SharedBudget::Adapt(std::uint64_t budget_bytes) {
  const MutexLock lock(mutex_);
  EDGEMOE_ASSIGN_OR_RETURN(const EngineLease engine, engines_.LeaseDefault());
  const Result<MemoryPlan> plan =
      engine->Resize(budget_bytes - std::min(budget_bytes, given_up_bytes_));
  return plan ? OkStatus() : plan.error();
}

Result<MemoryPlan> SharedBudget::PlanInForce(const Result<EngineLease>& engine) const {
  if (engine) return (*engine)->GetStats().memory;
  if (engine.error().reason() != Reason::kNoModel) return Failure(engine.error());
  MemoryPlan plan;
  plan.usable_bytes = UsableMemoryBytes();
  plan.budget_bytes = configured_bytes_ != 0 ? configured_bytes_ : plan.usable_bytes / 4 * 3;
  return plan;
}

Result<BudgetLoan> SharedBudget::Lend(const PackMemory& need, std::uint64_t wanted_bytes) {
  const MutexLock lock(mutex_);
  EDGEMOE_CHECK(lent_bytes_ == 0, "one loan at a time");
  const Result<EngineLease> engine = engines_.LeaseDefault();
  EDGEMOE_ASSIGN_OR_FAIL(const MemoryPlan plan, PlanInForce(engine));
  std::uint64_t total_bytes = plan.budget_bytes;
  if (automatic_) total_bytes = std::max(total_bytes, plan.usable_bytes / 4 * 3);
  const std::uint64_t spare_bytes = total_bytes - std::min(total_bytes, plan.budget_floor_bytes);
  const std::string sizes = "memory.budget is " + FormatByteSize(total_bytes) +
                            ", the loaded model needs " + FormatByteSize(plan.budget_floor_bytes) +
                            " of it, and the job at least " + FormatByteSize(need.least_bytes);
  if (need.least_bytes > spare_bytes)
    return Failure(ResourceExhaustedError("pack: both do not fit into memory: " + sizes)
                       .WithReason(Reason::kBudgetTooSmall));
  if (wanted_bytes != 0 && wanted_bytes < need.least_bytes)
    return Failure(InvalidField("memory_bytes", FormatByteSize(wanted_bytes),
                                "at least " + FormatByteSize(need.least_bytes)));
  const std::uint64_t bytes =
      std::clamp(wanted_bytes != 0 ? wanted_bytes : spare_bytes / 2, need.least_bytes,
                 std::max(need.useful_bytes, need.least_bytes));
  if (bytes > spare_bytes)
    return Failure(
        Status(StatusCode::kResourceExhausted, "memory_bytes",
               FoundAndAccepted(FormatByteSize(wanted_bytes),
                                "at most " + FormatByteSize(spare_bytes) + ", for " + sizes))
            .WithReason(Reason::kBudgetTooSmall));
  const std::uint64_t beside_bytes = total_bytes - plan.budget_bytes;
  const std::uint64_t given_up_bytes = bytes - std::min(bytes, beside_bytes);
  if (engine) {
    if (given_up_bytes != 0) EDGEMOE_FAIL_IF_ERROR(Shrink(**engine, plan, given_up_bytes));
    given_up_bytes_ = given_up_bytes;
    if (bytes != 0) lender_ = *engine;
  }
  lent_bytes_ = bytes;
  return bytes == 0 ? BudgetLoan() : BudgetLoan(this, bytes);
}

void SharedBudget::TakeBack() {
  const MutexLock lock(mutex_);
  lent_bytes_ = 0;
  const std::uint64_t bytes = std::exchange(given_up_bytes_, 0);
  const EngineLease engine = std::exchange(lender_, nullptr);
  if (bytes == 0) return;
  EDGEMOE_CHECK(engine != nullptr, "memory was given up by an engine");
  const std::uint64_t budget_bytes = engine->GetStats().memory.budget_bytes;
  const Result<MemoryPlan> plan = engine->Resize(budget_bytes + bytes);
  // An engine that ends has no use for it.
  if (plan || plan.error().code() == StatusCode::kUnavailable || !log_) return;
  log_(LogLevel::kWarning, "memory budget stays " + FormatByteSize(budget_bytes) +
                               " after the pack job: " + plan.error().message());
}

}  // namespace edgemoe
