// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "engine/engine.h"
#include "engine/scheduler/request_queue.h"
#include "engine/stream/pipeline/expert_pipeline.h"
#include "engine/trace/routing_recorder.h"

namespace edgemoe {

// Puts a recorder on the pipeline of a running engine and takes it off again, between steps.
class LiveRecording final : public RoutingRecording {
 public:
  // All outlive the recording. `in_use`: whether a recording lives, so that there is only one.
  struct Parts {
    RequestQueue* queue = nullptr;
    ExpertPipeline* pipeline = nullptr;
    std::atomic<bool>* in_use = nullptr;
  };
  // FAILED_PRECONDITION: another recording lives. UNAVAILABLE: the engine ends.
  static Result<std::unique_ptr<RoutingRecording>> Start(const Parts& parts,
                                                         const TraceDescription& description,
                                                         RecordedStepObserver observer);
  ~LiveRecording() override;

  const std::string& header() const override { return recorder_.header(); }
  std::string Take() override { return recorder_.Take(); }
  void Stop() override;
  std::uint64_t steps_recorded() const override { return recorder_.steps_recorded(); }
  std::uint64_t steps_dropped() const override { return recorder_.steps_dropped(); }

 private:
  LiveRecording(const Parts& parts, const TraceDescription& description,
                RecordedStepObserver observer)
      : parts_(parts),
        recorder_(description, RoutingRecorder::kBufferBytesDefault, std::move(observer)) {}

  const Parts parts_;
  RoutingRecorder recorder_;
  bool recording_ = false;
};

}  // namespace edgemoe
