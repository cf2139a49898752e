// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/pack_call.h"

#include <utility>

#include "engine/pack.h"
#include "server/rpc/message_bytes.h"
#include "server/rpc/status_mapping.h"
#include "server/rpc/translate/pack.h"

namespace edgemoe {

std::shared_ptr<PackCall> PackCall::Make() {
  std::shared_ptr<PackCall> call(new PackCall());
  call->self_ = call;
  return call;
}

void PackCall::OnProgress(const PackProgress& progress, std::optional<double> phase_seconds_left) {
  Push(ToApi(progress, phase_seconds_left));
}

void PackCall::OnEnded(Result<PackReport> report) {
  if (report) Push(ToApi(*report));
  End(report ? OkStatus() : report.error());
}

void PackCall::OnWriteDone(bool ok) {
  if (!ok) cancelled_ = true;
  Pump();
}

void PackCall::Push(v1::PackResponse message) {
  {
    const MutexLock lock(mutex_);
    waiting_ = std::move(message);
    if (std::exchange(busy_, true)) return;
  }
  Pump();
}

void PackCall::End(const Status& status) {
  {
    const MutexLock lock(mutex_);
    final_status_ = status;
    if (std::exchange(busy_, true)) return;
  }
  Pump();
}

void PackCall::Pump() {
  std::optional<v1::PackResponse> message;
  std::optional<Status> status;
  {
    const MutexLock lock(mutex_);
    message = std::exchange(waiting_, std::nullopt);
    if (cancelled_) message.reset();
    if (!message) status = final_status_;
    if (!message && !status) {
      busy_ = false;
      return;
    }
  }
  if (message) {
    bytes_ = SerializeMessage(*message);
    StartWrite(&bytes_);
  } else {
    Finish(ToGrpcStatus(*status));
  }
}

}  // namespace edgemoe
