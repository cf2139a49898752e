// SPDX-License-Identifier: Apache-2.0
#include "server/calls/streams/record_stream.h"

#include <limits>
#include <utility>

namespace edgemoe {

void RecordStream::Start(EngineLease engine, std::uint64_t steps_max, std::uint32_t time_limit_ms) {
  const std::weak_ptr<RecordStream> weak =
      std::static_pointer_cast<RecordStream>(shared_from_this());
  constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();
  steps_max_ = steps_max == 0 ? kNoLimit : steps_max;
  auto recording = engine->RecordRouting([weak](std::uint64_t steps_recorded) {
    if (const auto self = weak.lock()) self->OnStep(steps_recorded);
  });
  if (!recording) return Refuse(recording.error());
  engine_ = std::move(engine);
  recording_ = *std::move(recording);
  text_ = recording_->header();
  bool stop = false;
  {
    const MutexLock lock(mutex_);
    started_ = true;
    if (time_limit_ms != 0)
      deadline_ = thread().After(time_limit_ms, [weak] {
        if (const auto self = weak.lock()) self->StopRecording();
      });
    stop = stopping_;  // by a client that has gone, or enough steps, before there was a recording
  }
  if (stop) PostStop();
  Open();
}

void RecordStream::OnStep(std::uint64_t steps_recorded) {
  bool enough = false;
  {
    const MutexLock lock(mutex_);
    enough = steps_recorded >= steps_max_;
    if (!enough && !interval_runs_ && !due_) {
      interval_runs_ = true;
      const std::weak_ptr<RecordStream> weak =
          std::static_pointer_cast<RecordStream>(shared_from_this());
      interval_ = thread().After(kIntervalMs, [weak] {
        const auto self = weak.lock();
        if (self == nullptr) return;
        {
          const MutexLock timer_lock(self->mutex_);
          self->interval_runs_ = false;
          self->due_ = true;
        }
        self->Wake();
      });
    }
  }
  if (enough) StopRecording();
}

void RecordStream::StopRecording() {
  {
    const MutexLock lock(mutex_);
    if (std::exchange(stopping_, true)) return;
    if (!started_) return;  // Start sees it
  }
  PostStop();
}

void RecordStream::PostStop() {
  const auto self = std::static_pointer_cast<RecordStream>(shared_from_this());
  const bool posted = workers_.TryPost([self] {
    self->recording_->Stop();
    {
      const MutexLock lock(self->mutex_);
      self->stopped_ = true;
    }
    self->Wake();
  });
  if (posted) return;
  // All workers are taken.
  const MutexLock lock(mutex_);
  retry_ = thread().After(kIntervalMs, [weak = std::weak_ptr<RecordStream>(self)] {
    if (const auto stream = weak.lock()) stream->PostStop();
  });
}

SingleWriter::Turn RecordStream::Next() {
  const bool gone = client_has_gone();
  if (gone) text_.clear();
  bool stopped = false;
  bool take = false;
  {
    const MutexLock lock(mutex_);
    stopped = stopped_;
    take = !gone && text_.empty() && (stopped || due_);
    if (take) due_ = false;
  }
  if (take) text_ = recording_->Take();
  if (!text_.empty()) return {.message = TakeMessage()};
  if (!stopped) return {};
  recording_.reset();
  engine_.reset();
  return {.end = OkStatus()};
}

std::unique_ptr<v1::RecordTraceResponse> RecordStream::TakeMessage() {
  auto message = std::make_unique<v1::RecordTraceResponse>();
  // Whole lines only.
  std::size_t size = text_.size();
  if (size > kTextBytesMax) size = text_.rfind('\n', kTextBytesMax - 1) + 1;
  message->set_text(text_.substr(0, size));
  text_.erase(0, size);
  message->set_steps(recording_->steps_recorded());
  message->set_steps_dropped(recording_->steps_dropped());
  return message;
}

}  // namespace edgemoe
