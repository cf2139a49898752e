// SPDX-License-Identifier: Apache-2.0
#include "server/models/engine_slot.h"

#include <utility>

#include "engine/base/check.h"

namespace edgemoe {

EngineSlot::~EngineSlot() {
  const MutexLock lock(mutex_);
  EDGEMOE_CHECK(lease_count_ == 0, "every lease has come back");
}

void EngineSlot::Publish(Engine& engine) {
  const MutexLock lock(mutex_);
  EDGEMOE_CHECK(engine_ == nullptr, "one engine at a time");
  engine_ = &engine;
}

void EngineSlot::Refuse(Status why) {
  const MutexLock lock(mutex_);
  refusal_ = std::move(why);
}

void EngineSlot::Expect() {
  SetProgress(0, 0);
  const MutexLock lock(mutex_);
  refusal_ = OkStatus();
}

void EngineSlot::Withdraw() {
  const MutexLock lock(mutex_);
  engine_ = nullptr;
  while (lease_count_ != 0) returned_.Wait(mutex_);
}

Result<EngineLease> EngineSlot::LeaseDefault() const {
  const MutexLock lock(mutex_);
  if (!refusal_.ok()) return Failure(refusal_);
  if (engine_ == nullptr)
    return Failure(UnavailableError("the model is not ready: " + Progress() + "; try again")
                       .WithReason(Reason::kLoading));
  ++lease_count_;
  return EngineLease(engine_, [this](Engine*) {
    const MutexLock return_lock(mutex_);
    --lease_count_;
    returned_.NotifyAll();
  });
}

std::string EngineSlot::Progress() const {
  const std::uint64_t total = bytes_total_;
  if (total == 0) return "loading";
  const double share = static_cast<double>(bytes_loaded_) / static_cast<double>(total);
  return "loading " + std::to_string(static_cast<int>(100 * share)) + " %";
}

}  // namespace edgemoe
