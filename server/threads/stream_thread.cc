// SPDX-License-Identifier: Apache-2.0
#include "server/threads/stream_thread.h"

#include <algorithm>
#include <chrono>
#include <deque>
#include <map>

#include "engine/base/mutex.h"

namespace edgemoe {
namespace {

constexpr std::uint64_t kDelayMsMax = 1'000'000'000'000;

}  // namespace

struct StreamThread::State {
  explicit State(const Clock& time) : clock(time) {}

  // Waits for a task and takes it; none when the thread is to end.
  std::function<void()> Next() EXCLUDES(mutex) {
    const MutexLock lock(mutex);
    while (true) {
      const std::uint64_t now_ns = clock.NowNs();
      if (!timers.empty() && timers.begin()->first.first <= now_ns)
        return std::move(timers.extract(timers.begin()).mapped());
      if (!tasks.empty()) {
        std::function<void()> task = std::move(tasks.front());
        tasks.pop_front();
        return task;
      }
      if (joining) return {};
      if (timers.empty()) {
        changed.Wait(mutex);
      } else {
        changed.WaitFor(mutex, std::chrono::nanoseconds(timers.begin()->first.first - now_ns));
      }
    }
  }

  const Clock& clock;
  Mutex mutex;
  CondVar changed;
  std::deque<std::function<void()>> tasks GUARDED_BY(mutex);
  std::map<Timer::Key, std::function<void()>> timers GUARDED_BY(mutex);
  std::uint64_t timer_count GUARDED_BY(mutex) = 0;  // made in all
  bool joining GUARDED_BY(mutex) = false;
};

StreamThread::StreamThread(const Clock& clock)
    : state_(std::make_shared<State>(clock)), thread_([this] {
        while (const std::function<void()> task = state_->Next()) task();
      }) {}

StreamThread::~StreamThread() { Join(); }

void StreamThread::Post(std::function<void()> task) {
  const MutexLock lock(state_->mutex);
  if (state_->joining) return;
  state_->tasks.push_back(std::move(task));
  state_->changed.NotifyOne();
}

StreamThread::Timer StreamThread::After(std::uint64_t delay_ms, std::function<void()> task) {
  const MutexLock lock(state_->mutex);
  if (state_->joining) return {};
  const Timer::Key key{state_->clock.NowNs() + std::min(delay_ms, kDelayMsMax) * kNsPerMs,
                       ++state_->timer_count};
  state_->timers.emplace(key, std::move(task));
  state_->changed.NotifyOne();
  return {state_, key};
}

void StreamThread::Join() {
  std::map<Timer::Key, std::function<void()>> dropped;
  {
    const MutexLock lock(state_->mutex);
    state_->joining = true;
    dropped.swap(state_->timers);
    state_->changed.NotifyOne();
  }
  if (thread_.joinable()) thread_.join();
}

StreamThread::Timer& StreamThread::Timer::operator=(Timer&& other) noexcept {
  std::swap(state_, other.state_);
  std::swap(key_, other.key_);
  return *this;
}

StreamThread::Timer::~Timer() {
  if (state_ == nullptr) return;
  std::map<Key, std::function<void()>>::node_type dropped;  // destroyed without the lock
  const MutexLock lock(state_->mutex);
  dropped = state_->timers.extract(key_);
}

}  // namespace edgemoe
