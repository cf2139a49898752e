// SPDX-License-Identifier: Apache-2.0
#include "engine/serving/recording.h"

#include "engine/serving/loaded_engine.h"

namespace edgemoe {

Result<std::unique_ptr<RoutingRecording>> LiveRecording::Start(const Parts& parts,
                                                               const TraceDescription& description,
                                                               RecordedStepObserver observer) {
  if (parts.in_use->exchange(true)) {
    return Failure(FailedPreconditionError(
                       "another recording of routing is running; there can be one at a time")
                       .WithReason(Reason::kBusy));
  }
  std::unique_ptr<LiveRecording> recording(
      new LiveRecording(parts, description, std::move(observer)));
  EDGEMOE_FAIL_IF_ERROR(
      parts.queue->RunBetweenSteps([&] { parts.pipeline->SetObserver(&recording->recorder_); }));
  recording->recording_ = true;
  return recording;
}

LiveRecording::~LiveRecording() {
  Stop();
  *parts_.in_use = false;
}

void LiveRecording::Stop() {
  if (!recording_) return;
  recording_ = false;
  // An engine that has ended observes nothing any more.
  (void)parts_.queue->RunBetweenSteps([this] {
    parts_.pipeline->SetObserver(nullptr);
    recorder_.OnIdle();
  });
}

Result<std::unique_ptr<RoutingRecording>> LoadedEngine::RecordRouting(
    RecordedStepObserver observer) {
  if (stack_ == nullptr) {
    return Failure(FailedPreconditionError("mode " + options_.mode +
                                           " has no expert cache whose routing could be recorded"));
  }
  TraceDescription description{.model = description_.name,
                               .architecture = description_.architecture,
                               .experts_per_layer = description_.expert_count,
                               .experts_used = description_.expert_used_count,
                               .expert_bytes = {}};
  for (std::uint32_t layer = 0; layer < layout_.experts.layer_count; ++layer) {
    description.expert_bytes.push_back(
        SlotBytesFor(layout_.experts.of({ExpertLayerIndex{layer}, ExpertIndex{0}})));
  }
  return LiveRecording::Start(
      {.queue = &queue_, .pipeline = &stack_->pipeline(), .in_use = &recording_in_use_},
      description, std::move(observer));
}

}  // namespace edgemoe
