// SPDX-License-Identifier: Apache-2.0
//
// How many calls are open, so that a server that is told to end can wait for them. Some peers
// (HAProxy 2.6) drop the end of an answer when the connection is closed right behind it. A server
// that says "go away" after the last answer, rather than beside it, has the peer's word, by the
// ping that goes with it, that the answer was taken, before it closes.
#pragma once

#include <chrono>
#include <cstddef>
#include <utility>

#include "engine/base/mutex.h"

namespace edgemoe {

// Thread-safe; outlives its calls.
class OpenCalls {
 public:
  // One call, open until this is destroyed.
  class Call {
   public:
    explicit Call(OpenCalls& calls) : calls_(&calls) { calls.Change(+1); }
    Call(Call&& other) noexcept : calls_(std::exchange(other.calls_, nullptr)) {}
    Call& operator=(Call&&) = delete;
    ~Call() {
      if (calls_ != nullptr) calls_->Change(-1);
    }

   private:
    OpenCalls* calls_;
  };

  // Until none is open, for `timeout` at most.
  void WaitForNone(std::chrono::milliseconds timeout) EXCLUDES(mutex_) {
    const auto end = std::chrono::steady_clock::now() + timeout;
    const MutexLock lock(mutex_);
    for (auto now = std::chrono::steady_clock::now(); count_ != 0 && now < end;
         now = std::chrono::steady_clock::now())
      none_.WaitFor(mutex_, end - now);
  }

 private:
  void Change(int by) EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    count_ += static_cast<std::size_t>(by);
    if (count_ == 0) none_.NotifyAll();
  }

  Mutex mutex_;
  CondVar none_;
  std::size_t count_ GUARDED_BY(mutex_) = 0;
};

}  // namespace edgemoe
