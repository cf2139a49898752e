// SPDX-License-Identifier: Apache-2.0
#include "server/calls/streams/pull_stream.h"

#include <utility>

#include "server/calls/translate/pack_messages.h"
#include "server/calls/translate/pull_messages.h"

namespace edgemoe {

void PullStream::OnProgress(const PullProgress& progress) {
  auto message = std::make_unique<v1::PullResponse>();
  *message->mutable_progress() = ToApi(progress);
  Offer(std::move(message));
}

void PullStream::OnArrived(const PullReport& report) {
  auto message = std::make_unique<v1::PullResponse>();
  *message->mutable_report() = ToApi(report);
  {
    const MutexLock lock(mutex_);
    if (final_status_) return;
    waiting_.reset();
    report_ = std::move(message);
  }
  Wake();
}

void PullStream::OnPackProgress(const PackStep& step) {
  auto message = std::make_unique<v1::PullResponse>();
  *message->mutable_pack_progress() = ToApi(step);
  Offer(std::move(message));
}

void PullStream::OnPacked(const PackReport& report) {
  auto message = std::make_unique<v1::PullResponse>();
  *message->mutable_pack_report() = ToApi(report);
  Offer(std::move(message));
}

void PullStream::OnPackFound(const std::string& path) {
  auto message = std::make_unique<v1::PullResponse>();
  message->set_pack_found(path);
  Offer(std::move(message));
}

void PullStream::OnEnded(const Status& status) {
  {
    const MutexLock lock(mutex_);
    if (final_status_) return;
    final_status_ = status;
  }
  Wake();
}

void PullStream::Offer(std::unique_ptr<const Message> message) {
  {
    const MutexLock lock(mutex_);
    if (final_status_) return;
    waiting_ = std::move(message);
  }
  Wake();
}

SingleWriter::Turn PullStream::Next() {
  const MutexLock lock(mutex_);
  if (report_ != nullptr) return {.message = std::move(report_)};
  if (waiting_ != nullptr) return {.message = std::move(waiting_)};
  if (final_status_) return {.end = *final_status_};
  return {};
}

void PullStream::Abandon() {
  const MutexLock lock(mutex_);
  if (!final_status_) final_status_ = CancelledError("the client has gone");
}

}  // namespace edgemoe
