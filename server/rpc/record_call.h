// SPDX-License-Identifier: Apache-2.0
//
// A call of Observe.RecordTrace: what a recording has, a few times a second, until it is enough.
#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "edgemoe/v1/observe.pb.h"
#include "engine/engine.h"
#include "server/process/worker_pool.h"

namespace edgemoe {

// Invariants:
//   1. The recording and the timer are touched on the stream thread only, but for the end of the
//      recording, which waits for a step and is a worker's.
//   2. One write is in flight at a time. A client that reads slowly makes the recording drop steps,
//      which it counts; it holds up nothing.
class RecordCall final : public grpc::ServerWriteReactor<grpc::ByteBuffer> {
 public:
  // Owned by itself until gRPC has said OnDone. `streams` and `workers` outlive the call.
  static std::shared_ptr<RecordCall> Make(StreamThread& streams, WorkerPool& workers);

  // One of the two, once.
  void Refuse(const Status& status);
  void Start(std::unique_ptr<RoutingRecording> recording, const v1::RecordTraceRequest& request);

  void OnWriteDone(bool ok) override;
  void OnCancel() override { cancelled_ = true; }
  void OnDone() override;

  static constexpr std::uint32_t kIntervalMs = 100;
  static constexpr std::size_t kTextBytesMax = std::size_t{1} << 20;  // of one message

 private:
  RecordCall(StreamThread& streams, WorkerPool& workers) : streams_(streams), workers_(workers) {}
  void Tick();
  void Stop();
  void Write();
  bool IsEnough() const;

  StreamThread& streams_;
  WorkerPool& workers_;
  std::atomic<bool> cancelled_ = false;
  std::atomic<bool> writing_ = false;
  std::unique_ptr<RoutingRecording> recording_;
  StreamThread::Timer timer_;
  std::string text_;  // taken, not written yet
  std::uint64_t steps_max_ = 0;
  std::uint64_t ticks_left_ = 0;
  bool stopping_ = false;
  std::atomic<bool> stopped_ = false;
  grpc::ByteBuffer bytes_;  // of the write in flight
  std::shared_ptr<RecordCall> self_;
};

}  // namespace edgemoe
