// SPDX-License-Identifier: Apache-2.0
#include "server/calls/streams/pack_stream.h"

#include <utility>

#include "server/calls/translate/pack_messages.h"

namespace edgemoe {

void PackStream::OnProgress(const PackStep& step) {
  auto message = std::make_unique<v1::PackResponse>();
  *message->mutable_progress() = ToApi(step);
  {
    const MutexLock lock(mutex_);
    waiting_ = std::move(message);
  }
  Wake();
}

void PackStream::OnEnded(Result<PackReport> report) {
  std::unique_ptr<v1::PackResponse> message;
  if (report) {
    message = std::make_unique<v1::PackResponse>();
    *message->mutable_report() = ToApi(*report);
  }
  {
    const MutexLock lock(mutex_);
    if (message != nullptr) waiting_ = std::move(message);
    final_status_ = report ? OkStatus() : report.error();
  }
  Wake();
}

SingleWriter::Turn PackStream::Next() {
  const MutexLock lock(mutex_);
  if (waiting_ != nullptr) return {.message = std::move(waiting_)};
  if (final_status_) return {.end = *final_status_};
  return {};
}

}  // namespace edgemoe
