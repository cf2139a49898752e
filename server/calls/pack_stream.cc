// SPDX-License-Identifier: Apache-2.0
#include "server/calls/pack_stream.h"

#include <utility>

#include "server/calls/translate/pack_messages.h"

namespace edgemoe {

void PackStream::OnProgress(const PackProgress& progress,
                            std::optional<double> phase_seconds_left) {
  {
    const MutexLock lock(mutex_);
    waiting_ = std::make_unique<v1::PackResponse>(ToApi(progress, phase_seconds_left));
  }
  Wake();
}

void PackStream::OnEnded(Result<PackReport> report) {
  {
    const MutexLock lock(mutex_);
    if (report) waiting_ = std::make_unique<v1::PackResponse>(ToApi(*report));
    final_status_ = report ? OkStatus() : report.error();
  }
  Wake();
}

SingleWriter::Turn PackStream::Next() {
  const MutexLock lock(mutex_);
  if (waiting_ != nullptr) return {.message = std::move(waiting_)};
  if (final_status_) return {.end = CallEnd{.status = *final_status_}};
  return {};
}

}  // namespace edgemoe
