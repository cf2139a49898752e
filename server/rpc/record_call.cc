// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/record_call.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "server/rpc/message_bytes.h"
#include "server/rpc/status_mapping.h"

namespace edgemoe {

std::shared_ptr<RecordCall> RecordCall::Make(StreamThread& streams, WorkerPool& workers) {
  std::shared_ptr<RecordCall> call(new RecordCall(streams, workers));
  call->self_ = call;
  return call;
}

void RecordCall::Refuse(const Status& status) { Finish(ToGrpcStatus(status)); }

void RecordCall::Start(std::unique_ptr<RoutingRecording> recording,
                       const v1::RecordTraceRequest& request) {
  constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();
  recording_ = std::move(recording);
  text_ = recording_->header();
  steps_max_ = request.steps_max() == 0 ? kNoLimit : request.steps_max();
  ticks_left_ = request.time_limit_ms() == 0 ? kNoLimit : request.time_limit_ms() / kIntervalMs + 1;
  streams_.Post([call = self_] { call->Tick(); });
}

void RecordCall::Tick() {
  if (ticks_left_ > 0) --ticks_left_;
  if (!stopping_ && IsEnough()) Stop();
  const bool stopped = stopped_;
  if (!writing_) {
    if (cancelled_) {
      text_.clear();
    } else {
      text_ += recording_->Take();
    }
    if (!text_.empty()) {
      Write();
    } else if (stopped) {
      recording_.reset();
      timer_.reset();
      Finish(grpc::Status::OK);
      return;
    }
  }
  // What is there at the end goes out as fast as it is taken.
  timer_ = streams_.After(stopping_ ? 1 : kIntervalMs, [call = self_] { call->Tick(); });
}

// When all workers are taken, the next tick tries again.
void RecordCall::Stop() {
  stopping_ = workers_.TryPost([call = self_] {
    call->recording_->Stop();
    call->stopped_ = true;
  });
}

bool RecordCall::IsEnough() const {
  return cancelled_ || ticks_left_ == 0 || recording_->steps_recorded() >= steps_max_;
}

void RecordCall::Write() {
  v1::RecordTraceResponse message;
  // Whole lines only.
  std::size_t size = text_.size();
  if (size > kTextBytesMax) size = text_.rfind('\n', kTextBytesMax) + 1;
  message.set_text(text_.substr(0, size));
  text_.erase(0, size);
  message.set_steps(recording_->steps_recorded());
  message.set_steps_dropped(recording_->steps_dropped());
  bytes_ = SerializeMessage(message);
  writing_ = true;
  StartWrite(&bytes_);
}

void RecordCall::OnWriteDone(bool ok) {
  if (!ok) cancelled_ = true;
  writing_ = false;
}

void RecordCall::OnDone() {
  // The last reference may be the timer's own task.
  streams_.Post([last = std::move(self_)] {});
}

}  // namespace edgemoe
