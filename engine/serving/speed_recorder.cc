// SPDX-License-Identifier: Apache-2.0
#include "engine/serving/speed_recorder.h"

#include <utility>

#include "engine/serving/speed_input.h"
#include "engine/speed/compute_store.h"
#include "engine/speed/speed_history.h"

namespace edgemoe {

SpeedRecorder::SpeedRecorder(const EngineOptions& options, StepDemand demand)
    : options_(options), demand_(std::move(demand)) {}

void SpeedRecorder::Observe(const MemoryPlan& plan, const DecodedAlone& now) {
  if (options_.state_directory.empty() || options_.storage_profile != "real") return;
  if (plan.expert_bytes != expert_bytes_) {
    expert_bytes_ = plan.expert_bytes;
    tokens_at_start_ = now.tokens;
    begin_.reset();
    recorded_ = false;
  }
  if (recorded_ || now.tokens - tokens_at_start_ < kTokensBefore) return;
  if (!begin_) begin_ = now;
  const std::uint64_t tokens = now.tokens - begin_->tokens;
  if (tokens < kTokensMeasured || now.ns == begin_->ns) return;
  recorded_ = true;
  const std::optional<double> expected = ExpectedTokensPerSecond(plan);
  if (!expected) return;
  const double seconds = static_cast<double>(now.ns - begin_->ns) * 1e-9;
  const Status kept =
      SpeedHistory(options_.state_directory)
          .Add({.expected = *expected, .measured = static_cast<double>(tokens) / seconds});
  if (!kept.ok() && options_.log) options_.log(LogLevel::kWarning, kept.message());
}

std::optional<double> SpeedRecorder::ExpectedTokensPerSecond(const MemoryPlan& plan) const {
  const ComputeKey key = ComputeKeyFor(options_);
  std::optional<ComputeProbe> compute =
      ReadComputeProbe(ComputeStorePath(options_.state_directory, key), key);
  if (!compute) return std::nullopt;
  for (const TensorType type : TypesOf(demand_))
    if (compute->RateOf(type) == nullptr) return std::nullopt;
  std::optional<ProbeReport> storage;
  if (ReadsExperts(plan)) {
    Result<ProbeReport> kept = ProbeStorage({.path = options_.model_path,
                                             .state_directory = options_.state_directory,
                                             .kept_only = true,
                                             .io_backend = options_.io_backend});
    if (!kept) return std::nullopt;
    storage = *std::move(kept);
  }
  return EstimateSpeed(
             MakeSpeedInput(demand_, plan, *std::move(compute), storage ? &*storage : nullptr))
      .tokens_per_second;
}

}  // namespace edgemoe
