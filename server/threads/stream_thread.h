// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <utility>

#include "engine/base/clock.h"

namespace edgemoe {

// One thread that runs the writes of all streams, and their timers. A stream has at most one task
// and a few timers here at a time, so that the number of streams bounds both. Thread-safe.
class StreamThread {
  struct State;

 public:
  // `clock`, which outlives this, says when timers are due; a clock that a test moves is read again
  // after each task.
  explicit StreamThread(const Clock& clock);
  ~StreamThread();  // as Join
  StreamThread(const StreamThread&) = delete;
  StreamThread& operator=(const StreamThread&) = delete;

  // Runs the task on the thread, in the order of posting; drops it after Join.
  void Post(std::function<void()> task);

  // Holds a task that waits for its time. Destroyed before, on any thread, it drops the task; it
  // does not wait for one that has begun. May outlive the StreamThread.
  class Timer {
   public:
    Timer() = default;  // of nothing
    Timer(Timer&& other) noexcept
        : state_(std::move(other.state_)), key_(std::exchange(other.key_, {})) {}
    Timer& operator=(Timer&& other) noexcept;
    ~Timer();

   private:
    friend class StreamThread;
    using Key = std::pair<std::uint64_t, std::uint64_t>;  // when it is due, and a number of its own
    Timer(std::shared_ptr<State> state, Key key) : state_(std::move(state)), key_(key) {}

    std::shared_ptr<State> state_;
    Key key_{};
  };
  // Runs the task on the thread after the time, at most about 30 years.
  [[nodiscard]] Timer After(std::uint64_t delay_ms, std::function<void()> task);

  // Runs what was posted, drops timers that have not run, then ends the thread. Repeatable.
  void Join();

 private:
  const std::shared_ptr<State> state_;
  std::thread thread_;
};

}  // namespace edgemoe
