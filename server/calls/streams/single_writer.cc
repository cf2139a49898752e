// SPDX-License-Identifier: Apache-2.0
#include "server/calls/streams/single_writer.h"

#include <utility>

namespace edgemoe {

void SingleWriter::OnWritten(bool ok) {
  if (!ok) OnCancelled();
  Pump();
}

void SingleWriter::OnCancelled() {
  {
    const MutexLock lock(mutex_);
    if (std::exchange(cancelled_, true)) return;
  }
  Abandon();
  if (TakeTurn()) Pump();
}

void SingleWriter::OnOver() {
  const MutexLock lock(wire_mutex_);
  over_ = true;
  cancel_timer_ = {};
}

bool SingleWriter::client_has_gone() const {
  const MutexLock lock(mutex_);
  return cancelled_;
}

void SingleWriter::Wake() {
  if (TakeTurn()) thread_.Post([self = shared_from_this()] { self->Pump(); });
}

void SingleWriter::Refuse(const Status& status) {
  {
    const MutexLock lock(mutex_);
    refusal_ = status;
  }
  Pump();
}

void SingleWriter::CancelAfter(std::uint64_t delay_ms) {
  const MutexLock lock(wire_mutex_);
  if (over_) return;
  cancel_timer_ = thread_.After(delay_ms, [weak = weak_from_this()] {
    const std::shared_ptr<SingleWriter> self = weak.lock();
    if (self == nullptr) return;
    const MutexLock wire_lock(self->wire_mutex_);
    if (!self->over_) self->wire_->Cancel();
  });
}

bool SingleWriter::TakeTurn() {
  const MutexLock lock(mutex_);
  woken_ = true;
  return !std::exchange(busy_, true);
}

void SingleWriter::Pump() {
  while (true) {
    Turn turn;
    bool refused = false;
    {
      const MutexLock lock(mutex_);
      woken_ = false;
      refused = refusal_.has_value();
      if (refused) turn.end = std::exchange(refusal_, std::nullopt);
    }
    if (!refused) turn = Next();
    if (turn.end) return wire_->End(*turn.end);
    if (turn.message != nullptr) {
      if (client_has_gone()) continue;
      return wire_->Write(*turn.message);
    }
    const MutexLock lock(mutex_);
    if (woken_) continue;
    busy_ = false;
    return;
  }
}

}  // namespace edgemoe
