// SPDX-License-Identifier: Apache-2.0
#include "engine/serving/speed_recorder.h"

#include <utility>

#include "engine/serving/speed_input.h"
#include "engine/speed/compute_store.h"

namespace edgemoe {

SpeedRecorder::SpeedRecorder(const EngineOptions& options, std::string model, StepDemand demand)
    : options_(options), model_(std::move(model)), demand_(std::move(demand)) {}

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
  if (now.tokens - begin_->tokens < kTokensMeasured || now.ns == begin_->ns) return;
  recorded_ = true;
  Record(plan, {.tokens = now.tokens - begin_->tokens,
                .ns = now.ns - begin_->ns,
                .expert_uses = now.expert_uses - begin_->expert_uses,
                .expert_hits = now.expert_hits - begin_->expert_hits});
}

void SpeedRecorder::Record(const MemoryPlan& plan, const DecodedAlone& measured) const {
  const SpeedHistory history(options_.state_directory);
  const std::optional<double> expected = ExpectedTokensPerSecond(plan, history);
  if (!expected) return;
  SpeedPair pair = {
      .expected = *expected,
      .measured = static_cast<double>(measured.tokens) / (static_cast<double>(measured.ns) * 1e-9),
      .model = model_};
  if (measured.expert_uses > 0)
    pair.miss_exponent =
        MissExponentOf(ResidentShare(plan), static_cast<double>(measured.expert_hits) /
                                                static_cast<double>(measured.expert_uses));
  const Status kept = history.Add(pair);
  if (!kept.ok() && options_.log) options_.log(LogLevel::kWarning, kept.message());
}

std::optional<double> SpeedRecorder::ExpectedTokensPerSecond(const MemoryPlan& plan,
                                                             const SpeedHistory& history) const {
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
  SpeedInput input =
      MakeSpeedInput(demand_, plan, *std::move(compute), storage ? &*storage : nullptr);
  input.miss_exponent = MissExponentOf(history.Read(), model_).value_or(kMissExponent);
  return EstimateSpeed(input).tokens_per_second;
}

}  // namespace edgemoe
