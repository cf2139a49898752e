// SPDX-License-Identifier: Apache-2.0
#include "engine/scheduler/request_queue.h"

#include <algorithm>
#include <string>
#include <utility>

#include "engine/base/check.h"

namespace edgemoe {

Result<RequestId> RequestQueue::Submit(std::unique_ptr<Session> session) {
  MutexLock lock(mutex_);
  if (closed_) {
    ++refused_;
    return Failure(UnavailableError("the engine is stopping and takes no more requests")
                       .WithReason(Reason::kStopping));
  }
  const auto live = static_cast<std::uint32_t>(live_.size());
  if (live >= running_max_ + waiting_max_) {
    ++refused_;
    return Failure(ResourceExhaustedError("the queue is full: " + std::to_string(live) +
                                          " requests run or wait, " + std::to_string(running_max_) +
                                          " may run and " + std::to_string(waiting_max_) +
                                          " may wait; try again later")
                       .WithReason(Reason::kQueueFull));
  }
  const RequestId id{++last_id_};
  session->Accept(id, live < running_max_ ? 0 : live + 1 - running_max_);
  live_.emplace(id, &session->cancel_flag());
  ++undelivered_;
  submitted_.push_back(std::move(session));
  SignalLocked();
  return id;
}

Status RequestQueue::Cancel(RequestId id) {
  MutexLock lock(mutex_);
  const auto entry = live_.find(id);
  if (entry == live_.end()) {
    return NotFoundError("request_id: " + std::to_string(id.value) +
                         " is neither waiting nor running");
  }
  entry->second->store(true, std::memory_order_relaxed);
  SignalLocked();
  return OkStatus();
}

void RequestQueue::CancelAll() {
  MutexLock lock(mutex_);
  for (const auto& [id, flag] : live_) flag->store(true, std::memory_order_relaxed);
  SignalLocked();
}

void RequestQueue::Wake() {
  MutexLock lock(mutex_);
  SignalLocked();
}

void RequestQueue::Close() {
  MutexLock lock(mutex_);
  closed_ = true;
}

bool RequestQueue::WaitUntilQuiet(std::chrono::nanoseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  MutexLock lock(mutex_);
  while (undelivered_ > 0) {
    const auto left = deadline - std::chrono::steady_clock::now();
    if (left <= std::chrono::nanoseconds::zero()) return false;
    quiet_.WaitFor(mutex_, left);
  }
  return true;
}

void RequestQueue::Stop() {
  MutexLock lock(mutex_);
  closed_ = true;
  stopped_ = true;
  tasks_.NotifyAll();
  for (const auto& [id, flag] : live_) flag->store(true, std::memory_order_relaxed);
  SignalLocked();
}

Status RequestQueue::RunBetweenSteps(std::function<void()> task) {
  MutexLock lock(mutex_);
  while (task_state_ != TaskState::kNone && !stopped_) tasks_.Wait(mutex_);
  if (stopped_) return UnavailableError("the engine is stopping").WithReason(Reason::kStopping);
  task_state_ = TaskState::kWaiting;
  task_ = std::move(task);
  SignalLocked();
  // Also after a stop: the engine's thread looks for a task before it returns.
  while (task_state_ != TaskState::kDone) tasks_.Wait(mutex_);
  task_state_ = TaskState::kNone;
  tasks_.NotifyAll();
  return OkStatus();
}

std::uint32_t RequestQueue::live_count() const {
  MutexLock lock(mutex_);
  return static_cast<std::uint32_t>(live_.size());
}

std::uint64_t RequestQueue::refused_count() const {
  MutexLock lock(mutex_);
  return refused_;
}

std::vector<std::unique_ptr<Session>> RequestQueue::TakeSubmitted() {
  MutexLock lock(mutex_);
  return std::exchange(submitted_, {});
}

void RequestQueue::RunTask() {
  std::function<void()> task;
  {
    MutexLock lock(mutex_);
    if (task_state_ != TaskState::kWaiting) return;
    task = std::move(task_);
  }
  task();
  MutexLock lock(mutex_);
  task_state_ = TaskState::kDone;
  tasks_.NotifyAll();
}

void RequestQueue::WaitForSignal(std::optional<std::chrono::nanoseconds> timeout) {
  MutexLock lock(mutex_);
  while (!signalled_) {
    if (!timeout) {
      signal_.Wait(mutex_);
    } else if (!signal_.WaitFor(mutex_, *timeout)) {
      break;
    }
  }
  signalled_ = false;
}

void RequestQueue::Retire(RequestId id) {
  MutexLock lock(mutex_);
  EDGEMOE_CHECK(live_.erase(id) == 1, "a request was retired twice");
}

void RequestQueue::NoteDelivered() {
  MutexLock lock(mutex_);
  if (--undelivered_ == 0) quiet_.NotifyAll();
}

bool RequestQueue::stopped() const {
  MutexLock lock(mutex_);
  return stopped_;
}

void RequestQueue::SignalLocked() {
  signalled_ = true;
  signal_.NotifyOne();
}

}  // namespace edgemoe
