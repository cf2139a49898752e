// SPDX-License-Identifier: Apache-2.0
#include "server/jobs/pull_audience.h"

#include <utility>

namespace edgemoe {

Status PullAudience::Add(const std::shared_ptr<PullListener>& listener) {
  const MutexLock lock(mutex_);
  std::erase_if(listeners_, [](const auto& other) { return other.expired(); });
  if (listeners_.size() >= kListenersMax)
    return ResourceExhaustedError("pull: " + std::to_string(kListenersMax) +
                                  " clients follow this download; the most there may be");
  listeners_.push_back(listener);
  if (report_) {
    listener->OnArrived(*report_);
  } else if (progress_) {
    listener->OnProgress(*progress_);
  }
  if (step_) listener->OnPackProgress(*step_);
  return OkStatus();
}

void PullAudience::Progress(const PullProgress& progress) {
  const MutexLock lock(mutex_);
  progress_ = progress;
  for (const auto& listener : Listeners()) listener->OnProgress(progress);
}

void PullAudience::Arrived(const PullReport& report) {
  const MutexLock lock(mutex_);
  report_ = report;
  for (const auto& listener : Listeners()) listener->OnArrived(report);
}

void PullAudience::PackProgress(const PackStep& step) {
  const MutexLock lock(mutex_);
  step_ = step;
  for (const auto& listener : Listeners()) listener->OnPackProgress(step);
}

void PullAudience::Packed(const PackReport& report) {
  const MutexLock lock(mutex_);
  for (const auto& listener : Listeners()) listener->OnPacked(report);
}

void PullAudience::PackFound(const std::string& path) {
  const MutexLock lock(mutex_);
  for (const auto& listener : Listeners()) listener->OnPackFound(path);
}

void PullAudience::Ended(const Status& status) {
  const MutexLock lock(mutex_);
  for (const auto& listener : Listeners()) listener->OnEnded(status);
}

std::vector<std::shared_ptr<PullListener>> PullAudience::Listeners() const {
  std::vector<std::shared_ptr<PullListener>> listeners;
  for (const std::weak_ptr<PullListener>& listener : listeners_)
    if (std::shared_ptr<PullListener> held = listener.lock()) listeners.push_back(std::move(held));
  return listeners;
}

}  // namespace edgemoe
