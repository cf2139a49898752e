// SPDX-License-Identifier: Apache-2.0
//
// Where calls and jobs find the engine, and how they borrow it: empty while it loads, or where
// there is none. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "engine/base/mutex.h"
#include "engine/engine.h"

namespace edgemoe {

// A borrowed engine, which is not destroyed while a lease on it is held. So nobody keeps one longer
// than the call or job that it serves. To give it back destroys nothing: any thread may.
using EngineLease = std::shared_ptr<Engine>;

class EngineSlot {
 public:
  EngineSlot() = default;
  ~EngineSlot();  // no lease may be out
  EngineSlot(const EngineSlot&) = delete;
  EngineSlot& operator=(const EngineSlot&) = delete;

  void SetProgress(std::uint64_t bytes_loaded, std::uint64_t bytes_total) {
    bytes_loaded_ = bytes_loaded;
    bytes_total_ = bytes_total;
  }
  // There was none. The engine stays until Withdraw.
  void Publish(Engine& engine) EXCLUDES(mutex_);
  // There is none, and why: what leases say until Expect.
  void Refuse(Status why) EXCLUDES(mutex_);
  // One is being loaded after all.
  void Expect() EXCLUDES(mutex_);
  // Gives no further leases and waits until those that are out have come back. The engine, if there
  // was one, may be destroyed then.
  void Withdraw() EXCLUDES(mutex_);

  // The engine that calls mean which name no model: the only one. UNAVAILABLE while it loads; what
  // Refuse was told. Which names mean its model: model_names.h.
  Result<EngineLease> LeaseDefault() const EXCLUDES(mutex_);

  // "loading 12 %".
  std::string Progress() const;

 private:
  mutable Mutex mutex_;
  mutable CondVar returned_;
  Engine* engine_ GUARDED_BY(mutex_) = nullptr;
  Status refusal_ GUARDED_BY(mutex_);
  mutable std::size_t lease_count_ GUARDED_BY(mutex_) = 0;
  std::atomic<std::uint64_t> bytes_loaded_ = 0;
  std::atomic<std::uint64_t> bytes_total_ = 0;
};

}  // namespace edgemoe
