// SPDX-License-Identifier: Apache-2.0
#include "server/memory/request_memory.h"

namespace edgemoe {

RequestMemory::Share::~Share() {
  if (owner_ == nullptr) return;
  (void)owner_->TryChange(bytes_, 0);
  owner_->TrimLater();
}

bool RequestMemory::Share::TryResize(std::uint64_t bytes) {
  if (!owner_->TryChange(bytes_, bytes)) return false;
  bytes_ = bytes;
  return true;
}

bool RequestMemory::TryChange(std::uint64_t from_bytes, std::uint64_t to_bytes) {
  const MutexLock lock(mutex_);
  const std::uint64_t held_bytes = held_bytes_ - from_bytes + to_bytes;
  const std::uint64_t most_bytes = kBytesMax + (to_bytes < kLargeBytes ? kSmallReserveBytes : 0);
  if (to_bytes > from_bytes && held_bytes > most_bytes) return false;
  held_bytes_ = held_bytes;
  return true;
}

void RequestMemory::TrimLater() {
  const MutexLock lock(mutex_);
  if (std::exchange(trim_waits_, true)) return;
  timer_ = thread_.After(kTrimAfterMs, [this] {
    {
      const MutexLock timer_lock(mutex_);
      trim_waits_ = false;
    }
    trim_();
  });
}

std::uint64_t RequestMemory::held_bytes() const {
  const MutexLock lock(mutex_);
  return held_bytes_;
}

}  // namespace edgemoe
