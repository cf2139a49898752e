// SPDX-License-Identifier: Apache-2.0
//
// How fast a model is expected to write, from what a token asks for and what the machine can do.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/speed/compute_probe.h"
#include "engine/speed/step_demand.h"
#include "engine/speed/storage_speed.h"

namespace edgemoe {

struct SpeedInput {
  StepDemand demand;
  ComputeProbe compute;                 // with a rate of each of TypesOf(demand)
  double resident_share = 1;            // of all experts that have room in memory, in [0, 1]
  double request_bytes = 1e6;           // longer reads are split
  std::optional<StorageSpeed> storage;  // needed where resident_share is below 1
};

// Of one request that decodes alone, with a cache that has filled.
struct SpeedEstimate {
  double tokens_per_second = 0;
  double hit_rate = 1;              // of a token's experts that are in memory, in [0, 1]
  double read_bytes_per_token = 0;  // from storage
  double compute_seconds = 0;       // of a token, were all experts in memory
  double storage_seconds = 0;       // of its reads, were there nothing to compute
  bool storage_bound = false;       // storage takes longer than computing
};

// The share of uses that a cache of `resident_share` of the experts finds in memory. Were experts
// chosen evenly it would be that share; they are not, and `lfru` keeps what is used most:
// share^kHitExponent, fitted to what docs/benchmarks.md says of it. What a model really does lies
// on either side.
constexpr double kHitExponent = 0.42;
double ExpectedHitRate(double resident_share);

// Pure. Grows with resident_share and with every rate.
//
// A layer computes what is in memory while its missing experts, all asked for at once, are on their
// way, and each of these when it has landed: with j of k experts missing it takes
//   max(k e, burst(j) + e)
// where e is one expert's computing; j is binomial. The dense part of a layer overlaps with
// nothing. Reading ahead is not counted: it gives little where storage is busy anyway.
SpeedEstimate EstimateSpeed(const SpeedInput& input);

}  // namespace edgemoe
