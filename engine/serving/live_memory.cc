// SPDX-License-Identifier: Apache-2.0
#include "engine/serving/live_memory.h"

#include <utility>

#include "engine/base/check.h"
#include "engine/serving/memory_plan.h"

namespace edgemoe {

LiveMemory::LiveMemory(const Parts& parts, MemoryReservation experts, MemoryPlan plan,
                       const EngineOptions& options)
    : parts_(parts), options_(options), experts_(std::move(experts)), plan_(std::move(plan)) {
  Publish(parts_.reader->SetFixedBuffers(parts_.slab->regions()).message());
}

Result<MemoryPlan> LiveMemory::Resize(std::uint64_t budget_bytes, std::uint64_t usable_bytes) {
  MemoryPlan plan = WithBudget(plan_, options_, budget_bytes, usable_bytes);
  if (!plan.fits) return Failure(plan.shortage);
  if (plan.budget_bytes >= plan_.budget_bytes) {
    EDGEMOE_FAIL_IF_ERROR(Grow(plan));
  } else {
    EDGEMOE_FAIL_IF_ERROR(SetSlab(SlabBytes(plan)));
    const Status freed = experts_.Resize(plan.expert_bytes);
    EDGEMOE_CHECK(freed.ok(), "giving back cannot fail");
    const Status total = parts_.budget->Resize(plan.budget_bytes);
    EDGEMOE_CHECK(total.ok(), "the plan's parts are more than its whole");
  }
  plan_ = std::move(plan);
  PublishPlan();
  return plan_;
}

Status LiveMemory::Grow(const MemoryPlan& plan) {
  EDGEMOE_RETURN_IF_ERROR(parts_.budget->Resize(plan.budget_bytes));
  Status status = experts_.Resize(plan.expert_bytes);
  EDGEMOE_CHECK(status.ok(), "the plan's parts are more than its whole");
  status = SetSlab(SlabBytes(plan));
  if (status.ok()) return status;
  const bool undone =
      experts_.Resize(plan_.expert_bytes).ok() && parts_.budget->Resize(plan_.budget_bytes).ok();
  EDGEMOE_CHECK(undone, "giving back cannot fail");
  return status;
}

Status LiveMemory::GoToFloor() {
  EDGEMOE_RETURN_IF_ERROR(SetSlab(plan_.expert_floor_bytes));
  at_floor_ = true;
  return OkStatus();
}

Status LiveMemory::ComeBack() {
  EDGEMOE_RETURN_IF_ERROR(SetSlab(plan_.expert_bytes));
  at_floor_ = false;
  return OkStatus();
}

Status LiveMemory::SetSlab(std::uint64_t bytes) {
  parts_.pipeline->Quiesce();
  // Registered memory is pinned: as long as it is, it cannot be given back.
  const Status forgotten = parts_.reader->SetFixedBuffers({});
  EDGEMOE_CHECK(forgotten.ok(), "no buffers is always possible");
  Status status = parts_.cache->Resize(bytes);
  Publish(parts_.reader->SetFixedBuffers(parts_.slab->regions()).message());
  return status;
}

void LiveMemory::Publish(std::string buffers_note) {
  MutexLock lock(mutex_);
  state_ = {plan_, parts_.slab->committed_bytes(), std::move(buffers_note)};
}

void LiveMemory::PublishPlan() {
  MutexLock lock(mutex_);
  state_.plan = plan_;
}

LiveMemory::State LiveMemory::state() const {
  MutexLock lock(mutex_);
  return state_;
}

}  // namespace edgemoe
