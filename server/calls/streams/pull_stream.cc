// SPDX-License-Identifier: Apache-2.0
#include "server/calls/streams/pull_stream.h"

#include <utility>

#include "server/calls/translate/pull_messages.h"

namespace edgemoe {

void PullStream::OnProgress(const PullProgress& progress) {
  auto message = std::make_unique<v1::PullResponse>();
  *message->mutable_progress() = ToApi(progress);
  {
    const MutexLock lock(mutex_);
    if (final_status_) return;
    waiting_ = std::move(message);
  }
  Wake();
}

void PullStream::OnEnded(const Result<PullReport>& report) {
  std::unique_ptr<v1::PullResponse> message;
  if (report) {
    message = std::make_unique<v1::PullResponse>();
    *message->mutable_report() = ToApi(*report);
  }
  {
    const MutexLock lock(mutex_);
    if (final_status_) return;
    if (message != nullptr) waiting_ = std::move(message);
    final_status_ = report ? OkStatus() : report.error();
  }
  Wake();
}

SingleWriter::Turn PullStream::Next() {
  const MutexLock lock(mutex_);
  if (waiting_ != nullptr) return {.message = std::move(waiting_)};
  if (final_status_) return {.end = *final_status_};
  return {};
}

void PullStream::Abandon() {
  const MutexLock lock(mutex_);
  if (!final_status_) final_status_ = CancelledError("the client has gone");
}

}  // namespace edgemoe
