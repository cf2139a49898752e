// SPDX-License-Identifier: Apache-2.0
#include "engine/speed/speed_estimate.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/base/check.h"

namespace edgemoe {
namespace {

// Of a layer, one after another: projections, attention, router, experts twice, sums.
constexpr double kLoopsPerLayer = 10;

// Of weights that the last level of cache holds when a token is through all of them.
double CachedShare(const SpeedInput& input) {
  const double resident =
      input.resident_share * static_cast<double>(input.demand.expert_total_bytes);
  const double bytes = static_cast<double>(input.demand.dense_memory_bytes) + resident;
  return bytes == 0 ? 1 : std::min(1.0, static_cast<double>(input.compute.cache_bytes) / bytes);
}

double ComputeSeconds(const std::vector<TypedBytes>& list, const SpeedInput& input) {
  const double cached = CachedShare(input);
  double seconds = 0;
  for (const TypedBytes& one : list) {
    const ComputeRate* const rate = input.compute.RateOf(one.type);
    EDGEMOE_CHECK(rate != nullptr, "a type without a rate");
    seconds += one.bytes * (cached / rate->cache_bytes_per_second +
                            (1 - cached) / rate->memory_bytes_per_second);
  }
  return seconds;
}

// Of storage, for `missing` experts that a layer asks for at once.
double BurstSeconds(const SpeedInput& input, double missing) {
  const StepDemand& demand = input.demand;
  const double run_bytes = demand.expert_read_bytes / demand.expert_read_count;
  const double parts = std::ceil(run_bytes / input.request_bytes);
  return input.storage->BurstSeconds(run_bytes / parts, missing * demand.expert_read_count * parts);
}

}  // namespace

double ExpectedHitRate(double resident_share, double miss_exponent) {
  return 1 - std::pow(1 - std::clamp(resident_share, 0.0, 1.0), miss_exponent);
}

std::optional<double> MissExponentOf(double resident_share, double hit_rate) {
  if (!(resident_share > 0 && resident_share < 1)) return std::nullopt;
  const double misses = std::clamp(1 - hit_rate, 1e-9, 1.0);
  return std::clamp(std::log(misses) / std::log(1 - resident_share), kMissExponentMin,
                    kMissExponentMax);
}

SpeedEstimate EstimateSpeed(const SpeedInput& input) {
  const StepDemand& demand = input.demand;
  SpeedEstimate estimate;
  const double loops = kLoopsPerLayer * demand.layer_count * input.compute.loop_seconds;
  const double dense = ComputeSeconds(demand.dense, input) + loops;
  const double experts = ComputeSeconds(demand.experts, input);
  estimate.compute_seconds = dense + experts;
  estimate.hit_rate = ExpectedHitRate(input.resident_share, input.miss_exponent);
  const double layers = demand.expert_layer_count;
  const std::uint32_t used = demand.experts_used;
  if (estimate.hit_rate < 1 && layers > 0 && used > 0) {
    EDGEMOE_CHECK(input.storage.has_value(), "experts have to be read");
    const double miss_rate = 1 - estimate.hit_rate;
    double probability = std::pow(estimate.hit_rate, used);  // of no miss
    double burst_seconds = 0;
    for (std::uint32_t missing = 1; missing <= used; ++missing) {
      // From one number of misses to the next: a step of the binomial distribution.
      probability = estimate.hit_rate > 0 ? probability * (used - missing + 1) / missing *
                                                miss_rate / estimate.hit_rate
                                          : (missing == used ? 1.0 : 0.0);
      burst_seconds += probability * BurstSeconds(input, missing);
    }
    estimate.read_bytes_per_token = layers * used * miss_rate * demand.expert_read_bytes;
    estimate.storage_seconds = layers * burst_seconds;
    estimate.compute_seconds += estimate.read_bytes_per_token * input.read_cpu_seconds_per_byte;
  }
  estimate.storage_bound = estimate.storage_seconds > estimate.compute_seconds;
  estimate.tokens_per_second = 1 / (estimate.compute_seconds + estimate.storage_seconds);
  return estimate;
}

}  // namespace edgemoe
