// SPDX-License-Identifier: Apache-2.0
//
// A call of Models.Pack: a job on one side, a stream of messages on the other.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <memory>
#include <optional>

#include "edgemoe/v1/models.pb.h"
#include "engine/base/mutex.h"
#include "engine/pack.h"
#include "server/jobs/pack_runner.h"

namespace edgemoe {

// Invariants:
//   1. Whoever holds `busy_` alone starts a write or finishes the call; finishing keeps it.
//   2. At most one message waits: a newer one replaces it, and the report is the newest. A client
//      that reads slowly holds up neither the job nor memory.
//   3. A client that goes away cancels the job.
class PackCall final : public PackListener, public grpc::ServerWriteReactor<grpc::ByteBuffer> {
 public:
  // Owned by itself until gRPC has said OnDone; the job may keep it longer.
  static std::shared_ptr<PackCall> Make();

  // Ends a call whose job was not started.
  void Refuse(const Status& status) { End(status); }

  void OnProgress(const PackProgress& progress, std::optional<double> phase_seconds_left) override;
  void OnEnded(Result<PackReport> report) override;
  const std::atomic<bool>& cancelled() const override { return cancelled_; }

  void OnWriteDone(bool ok) override;
  void OnCancel() override { cancelled_ = true; }
  void OnDone() override { const std::shared_ptr<PackCall> last = std::move(self_); }

 private:
  PackCall() = default;
  void Push(v1::PackResponse message);
  void End(const Status& status);
  // With busy_ held: writes, finishes, or gives busy_ back. The object may be gone when it returns.
  void Pump();

  std::atomic<bool> cancelled_ = false;
  Mutex mutex_;
  bool busy_ GUARDED_BY(mutex_) = false;
  std::optional<v1::PackResponse> waiting_ GUARDED_BY(mutex_);
  std::optional<Status> final_status_ GUARDED_BY(mutex_);
  grpc::ByteBuffer bytes_;  // of the write in flight
  std::shared_ptr<PackCall> self_;
};

}  // namespace edgemoe
