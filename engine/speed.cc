// SPDX-License-Identifier: Apache-2.0
//
// The expected speed of the facade: measures or remembers what the estimate needs.
#include "engine/speed.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "engine/base/accepted.h"
#include "engine/base/clock.h"
#include "engine/kernels/dispatch.h"
#include "engine/load/model_header.h"
#include "engine/parallel/compute_pool.h"
#include "engine/probe.h"
#include "engine/serving/describe_header.h"
#include "engine/serving/option_check.h"
#include "engine/serving/speed_input.h"
#include "engine/speed/compute_probe.h"
#include "engine/speed/compute_store.h"
#include "engine/speed/speed_estimate.h"
#include "engine/speed/speed_history.h"
#include "engine/speed/step_demand.h"

namespace edgemoe {
namespace {

// What is kept, with what else `types` need: a file of another quantisation measures its own types
// only.
Result<ComputeProbe> ProbeCompute(const EngineOptions& options, std::vector<TensorType> types,
                                  bool fresh) {
  const ComputeKey key = ComputeKeyFor(options);
  const bool keeps = !options.state_directory.empty();
  const std::string store = keeps ? ComputeStorePath(options.state_directory, key) : "";
  std::optional<ComputeProbe> kept;
  if (keeps && !fresh) kept = ReadComputeProbe(store, key);
  if (kept) std::erase_if(types, [&](TensorType type) { return kept->RateOf(type) != nullptr; });
  if (kept && types.empty()) return *std::move(kept);

  EDGEMOE_ASSIGN_OR_FAIL(const KernelTable* const kernels, SelectKernels(options.kernels));
  ComputePool pool(key.threads);
  EDGEMOE_ASSIGN_OR_FAIL(ComputeProbe probe, MeasureCompute(*kernels, pool, types, SteadyClock()));
  if (kept) probe.rates.insert(probe.rates.end(), kept->rates.begin(), kept->rates.end());
  if (!keeps) return probe;
  // Measured all the same: the next one measures anew.
  const Status written = WriteComputeProbe(store, probe);
  if (!written.ok() && options.log) options.log(LogLevel::kWarning, written.message());
  return probe;
}

Status CheckEstimable(const EngineOptions& options, const MemoryPlan& plan) {
  if (!plan.fits)
    return FailedPreconditionError("no speed is expected of what does not fit: " +
                                   plan.explanation);
  if (options.mode != "edgemoe" || options.storage_profile != "real")
    return FailedPreconditionError(
        "expected speed: " + FoundAndAccepted("mode " + ShowValue(options.mode) + " on storage " +
                                                  ShowValue(options.storage_profile),
                                              "mode \"edgemoe\" on storage \"real\""));
  return OkStatus();
}

Result<std::optional<ProbeReport>> ProbeStorageFor(const EngineOptions& options,
                                                   const MemoryPlan& plan,
                                                   const SpeedRequest& request) {
  if (!ReadsExperts(plan)) return std::nullopt;
  if (request.storage_path.empty())
    return Failure(FailedPreconditionError(
        "expected speed: experts have to be read, and nothing is known of the storage"));
  EDGEMOE_ASSIGN_OR_FAIL(ProbeReport probe,
                         ProbeStorage({.path = request.storage_path,
                                       .state_directory = options.state_directory,
                                       .fresh = request.fresh,
                                       .io_backend = options.io_backend}));
  return probe;
}

}  // namespace

Result<ExpectedSpeed> ExpectSpeed(const EngineOptions& options, const MemoryPlan& plan,
                                  const SpeedRequest& request) {
  EDGEMOE_FAIL_IF_ERROR(ValidateOptions(options));
  EDGEMOE_FAIL_IF_ERROR(CheckEstimable(options, plan));
  EDGEMOE_ASSIGN_OR_FAIL(const ModelHeader header, ReadModelHeader(options.model_path));
  EDGEMOE_ASSIGN_OR_FAIL(const ModelDescription description, DescribeHeader(header, options));
  const StepDemand demand = DemandOf(header);
  EDGEMOE_ASSIGN_OR_FAIL(const std::optional<ProbeReport> probe,
                         ProbeStorageFor(options, plan, request));
  EDGEMOE_ASSIGN_OR_FAIL(ComputeProbe compute,
                         ProbeCompute(options, TypesOf(demand), request.fresh));
  std::vector<SpeedPair> earlier;
  if (!options.state_directory.empty()) earlier = SpeedHistory(options.state_directory).Read();
  SpeedInput input = MakeSpeedInput(demand, plan, std::move(compute), probe ? &*probe : nullptr);
  input.miss_exponent = MissExponentOf(earlier, SpeedModelOf(description, header.layout.experts))
                            .value_or(kMissExponent);
  const SpeedEstimate estimate = EstimateSpeed(input);
  const SpeedBar bar = BarOf(earlier);
  return ExpectedSpeed{
      .tokens_per_second = estimate.tokens_per_second,
      .low = bar.low * estimate.tokens_per_second,
      .high = bar.high * estimate.tokens_per_second,
      .bound = estimate.storage_bound ? SpeedBound::kStorage : SpeedBound::kCompute,
      .hit_rate = estimate.hit_rate,
      .read_bytes_per_token = estimate.read_bytes_per_token,
      .compute_seconds = estimate.compute_seconds,
      .storage_seconds = estimate.storage_seconds,
      .storage_bytes_per_second = probe ? probe->bytes_per_second : 0,
      .earlier_count = bar.pair_count};
}

}  // namespace edgemoe
