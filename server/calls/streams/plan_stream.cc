// SPDX-License-Identifier: Apache-2.0
#include "server/calls/streams/plan_stream.h"

#include <utility>

namespace edgemoe {

bool PlanStream::wants_more() const {
  const MutexLock lock(mutex_);
  return !final_status_;
}

void PlanStream::OnHeader(const PullHeader& header) { Push(planner_.plan(header), std::nullopt); }

void PlanStream::OnEnded(const Result<PullReport>& report) {
  if (!report) return Push(nullptr, report.error());
  Push(planner_.conclude(), OkStatus());
}

SingleWriter::Turn PlanStream::Next() {
  const MutexLock lock(mutex_);
  if (waiting_.empty()) return {.end = final_status_};
  Turn turn{.message = std::move(waiting_.front())};
  waiting_.pop_front();
  return turn;
}

void PlanStream::Abandon() {
  {
    const MutexLock lock(mutex_);
    waiting_.clear();
    if (!final_status_) final_status_ = CancelledError("the client has gone");
  }
  runner_.Cancel(this);
}

void PlanStream::Push(std::unique_ptr<const Message> message, std::optional<Status> end) {
  {
    const MutexLock lock(mutex_);
    if (final_status_) return;
    if (message != nullptr) waiting_.push_back(std::move(message));
    final_status_ = std::move(end);
  }
  Wake();
}

}  // namespace edgemoe
