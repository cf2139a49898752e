// SPDX-License-Identifier: Apache-2.0
//
// Who follows a pull, and what they are told.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "download/protocol/pull_lines.h"
#include "engine/base/mutex.h"
#include "engine/base/result.h"
#include "server/jobs/pack_runner.h"

namespace edgemoe {

// In this order; on the threads of the jobs, and of whoever adds the listener. Must not call the
// runner.
class PullListener {
 public:
  virtual ~PullListener() = default;
  virtual void OnProgress(const PullProgress& progress) = 0;
  // Once: the files are there and stay, whatever becomes of a pack.
  virtual void OnArrived(const PullReport& report) = 0;
  virtual void OnPackProgress(const PackStep& step) = 0;
  // Once, where a pack was asked for: it is written, or `path` was there already.
  virtual void OnPacked(const PackReport& report) = 0;
  virtual void OnPackFound(const std::string& path) = 0;
  // Last.
  virtual void OnEnded(const Status& status) = 0;
};

// Those who join late are told first what was last. Thread-safe.
class PullAudience {
 public:
  static constexpr std::size_t kListenersMax = 64;

  // Forgets the listener when nobody else holds it. RESOURCE_EXHAUSTED: kListenersMax listen.
  Status Add(const std::shared_ptr<PullListener>& listener) EXCLUDES(mutex_);

  void Progress(const PullProgress& progress) EXCLUDES(mutex_);
  void Arrived(const PullReport& report) EXCLUDES(mutex_);
  void PackProgress(const PackStep& step) EXCLUDES(mutex_);
  void Packed(const PackReport& report) EXCLUDES(mutex_);
  void PackFound(const std::string& path) EXCLUDES(mutex_);
  void Ended(const Status& status) EXCLUDES(mutex_);

 private:
  std::vector<std::shared_ptr<PullListener>> Listeners() const REQUIRES(mutex_);

  Mutex mutex_;
  std::vector<std::weak_ptr<PullListener>> listeners_ GUARDED_BY(mutex_);
  std::optional<PullProgress> progress_ GUARDED_BY(mutex_);
  std::optional<PullReport> report_ GUARDED_BY(mutex_);
  std::optional<PackStep> step_ GUARDED_BY(mutex_);
};

}  // namespace edgemoe
