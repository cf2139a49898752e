// SPDX-License-Identifier: Apache-2.0
//
// The answer of ObserveService.RecordTrace: what a recording has, a few times a second, until it is
// enough.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "edgemoe/v1/observe.pb.h"
#include "engine/base/mutex.h"
#include "engine/engine.h"
#include "server/calls/streams/single_writer.h"
#include "server/models/engine_slot.h"
#include "server/threads/worker_pool.h"

namespace edgemoe {

// Nothing is polled: the engine says when a step is recorded, which arms a timer unless one runs;
// what is recorded until then goes out together. What is there at the end goes out as fast as it is
// taken.
//
// Bounded: text is taken from the recording when what was taken before has been written. A client
// that reads slowly makes the recording drop steps, which it counts; it holds up nothing.
class RecordStream final : public SingleWriter {
 public:
  static constexpr std::uint64_t kIntervalMs = 100;
  static constexpr std::size_t kTextBytesMax = std::size_t{1} << 20;  // of one message

  // Both outlive the stream.
  RecordStream(StreamThread& thread, WorkerPool& workers)
      : SingleWriter(thread), workers_(workers) {}

  // Starts a recording and opens the stream, or refuses the call; once.
  // Limits as in the request; 0: none.
  void Start(EngineLease engine, std::uint64_t steps_max, std::uint32_t time_limit_ms)
      EXCLUDES(mutex_);

 private:
  Turn Next() override EXCLUDES(mutex_);
  void Abandon() override { StopRecording(); }

  // On the engine's thread.
  void OnStep(std::uint64_t steps_recorded) EXCLUDES(mutex_);
  // Ends the recording, soon: that waits for a step and is a worker's.
  void StopRecording() EXCLUDES(mutex_);
  void PostStop() EXCLUDES(mutex_);
  std::unique_ptr<v1::RecordTraceResponse> TakeMessage();

  WorkerPool& workers_;
  // Set before Open, gone with the end; the engine is the recording's.
  EngineLease engine_;
  std::unique_ptr<RoutingRecording> recording_;
  std::string text_;             // taken, not written yet; Next's
  std::uint64_t steps_max_ = 0;  // set before the recording

  Mutex mutex_;
  bool started_ GUARDED_BY(mutex_) = false;  // there is a recording
  bool interval_runs_ GUARDED_BY(mutex_) = false;
  bool due_ GUARDED_BY(mutex_) = false;       // the interval is over: text is to be taken
  bool stopping_ GUARDED_BY(mutex_) = false;  // asked to stop
  bool stopped_ GUARDED_BY(mutex_) = false;   // nothing is recorded any more
  StreamThread::Timer interval_ GUARDED_BY(mutex_);
  StreamThread::Timer deadline_ GUARDED_BY(mutex_);
  StreamThread::Timer retry_ GUARDED_BY(mutex_);
};

}  // namespace edgemoe
