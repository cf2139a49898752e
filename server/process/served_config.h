// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include "engine/base/mutex.h"
#include "server/process/config.h"

namespace edgemoe {

// The configuration by which calls plan and open models. It changes when a daemon that has no model
// reads another one. Thread-safe.
class ServedConfig {
 public:
  explicit ServedConfig(Config config) : config_(std::move(config)) {}

  Config Get() const EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return config_;
  }
  void Set(Config config) EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    config_ = std::move(config);
  }

 private:
  mutable Mutex mutex_;
  Config config_ GUARDED_BY(mutex_);
};

}  // namespace edgemoe
