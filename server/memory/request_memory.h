// SPDX-License-Identifier: Apache-2.0
//
// What clients' calls take beside the memory budget: bounded, and given back to the system.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "engine/base/mutex.h"
#include "server/threads/stream_thread.h"

namespace edgemoe {

// Counts the bytes of requests and answers that are held, and has the heap trimmed
// kTrimAfterMs after a call has ended. Thread-safe.
class RequestMemory {
 public:
  static constexpr std::uint64_t kBytesMax = std::uint64_t{16} << 20;
  // Small requests are refused later: large ones do not keep them out.
  static constexpr std::uint64_t kLargeBytes = std::uint64_t{64} << 10;
  static constexpr std::uint64_t kSmallReserveBytes = std::uint64_t{4} << 20;
  static constexpr std::uint64_t kTrimAfterMs = 2000;

  // `thread` outlives this object; `trim` is called on it.
  RequestMemory(StreamThread& thread, std::function<void()> trim)
      : thread_(thread), trim_(std::move(trim)) {}

  // What one call holds, until this is destroyed. Not to outlive the RequestMemory.
  class Share {
   public:
    Share(Share&& other) noexcept
        : owner_(std::exchange(other.owner_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
    Share& operator=(Share&&) = delete;
    ~Share();
    // False, with nothing changed, when all calls together would have too much.
    bool TryResize(std::uint64_t bytes);

   private:
    friend class RequestMemory;
    explicit Share(RequestMemory& owner) : owner_(&owner) {}
    RequestMemory* owner_;
    std::uint64_t bytes_ = 0;
  };
  Share MakeShare() { return Share(*this); }  // of nothing yet

  std::uint64_t held_bytes() const EXCLUDES(mutex_);

 private:
  bool TryChange(std::uint64_t from_bytes, std::uint64_t to_bytes) EXCLUDES(mutex_);
  void TrimLater() EXCLUDES(mutex_);

  StreamThread& thread_;
  const std::function<void()> trim_;
  mutable Mutex mutex_;
  std::uint64_t held_bytes_ GUARDED_BY(mutex_) = 0;
  bool trim_waits_ GUARDED_BY(mutex_) = false;
  StreamThread::Timer timer_ GUARDED_BY(mutex_);
};

}  // namespace edgemoe
