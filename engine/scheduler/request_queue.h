// SPDX-License-Identifier: Apache-2.0
//
// The one place where clients' threads and the engine's thread meet.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "engine/base/mutex.h"
#include "engine/base/result.h"
#include "engine/scheduler/session.h"

namespace edgemoe {

// Admits requests, hands them to the engine's thread in order, and carries cancellations and
// wake-ups to it.
//
// Bound: at most running_max + waiting_max requests are live, from Submit to Retire.
// Threads: thread-safe; no lock is held while a sink is called.
class RequestQueue {
 public:
  RequestQueue(std::uint32_t running_max, std::uint32_t waiting_max)
      : running_max_(running_max), waiting_max_(waiting_max) {}

  // ---- Clients ----

  // RESOURCE_EXHAUSTED when full, UNAVAILABLE after Close; the session is then destroyed uncalled.
  Result<RequestId> Submit(std::unique_ptr<Session> session);
  // NOT_FOUND when the request is not live.
  Status Cancel(RequestId id);
  void CancelAll();
  void Wake();
  // Nothing is admitted from now on.
  void Close();
  // Waits until every admitted request's sink has heard the end. False when `timeout` passed.
  bool WaitUntilQuiet(std::chrono::nanoseconds timeout);
  // Closes, cancels all, and tells the engine's thread to return when they have ended.
  void Stop();

  // Runs `task` on the engine's thread, between two steps or while it is idle, and returns when it
  // has run. One at a time: others wait for their turn. UNAVAILABLE, and not run, after Stop. Not
  // to be called on the engine's thread.
  Status RunBetweenSteps(std::function<void()> task);

  std::uint32_t live_count() const;
  std::uint64_t refused_count() const;

  // ---- The engine's thread ----

  // What was submitted since the last call, in order.
  std::vector<std::unique_ptr<Session>> TakeSubmitted();
  // Runs the task that waits to be run between steps, if there is one.
  void RunTask();
  // Returns when something happened since the last return, or `timeout` has passed.
  void WaitForSignal(std::optional<std::chrono::nanoseconds> timeout);
  // The request is no longer live: its place is free before its sink hears the end.
  void Retire(RequestId id);
  // Its sink has heard the end and is gone.
  void NoteDelivered();
  bool stopped() const;

 private:
  void SignalLocked() REQUIRES(mutex_);

  const std::uint32_t running_max_;
  const std::uint32_t waiting_max_;

  mutable Mutex mutex_;
  CondVar signal_;  // for the engine's thread
  CondVar quiet_;   // for WaitUntilQuiet
  CondVar tasks_;   // for RunBetweenSteps
  bool signalled_ GUARDED_BY(mutex_) = false;
  bool closed_ GUARDED_BY(mutex_) = false;
  bool stopped_ GUARDED_BY(mutex_) = false;
  // Whose turn it is to have a task run: taken by the caller, cleared when it has run.
  enum class TaskState : std::uint8_t { kNone, kWaiting, kDone };
  TaskState task_state_ GUARDED_BY(mutex_) = TaskState::kNone;
  std::function<void()> task_ GUARDED_BY(mutex_);
  std::uint64_t last_id_ GUARDED_BY(mutex_) = 0;
  std::uint64_t refused_ GUARDED_BY(mutex_) = 0;
  std::uint32_t undelivered_ GUARDED_BY(mutex_) = 0;
  std::vector<std::unique_ptr<Session>> submitted_ GUARDED_BY(mutex_);
  // Flags of live sessions, which outlive their entries.
  std::unordered_map<RequestId, std::atomic<bool>*> live_ GUARDED_BY(mutex_);
};

}  // namespace edgemoe
