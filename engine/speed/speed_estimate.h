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

// The share of uses that a cache of `resident_share` of the experts finds in memory. Were experts
// chosen evenly it would be that share; they are not, and `lfru` keeps what is used most. Misses
// are (1 - share)^kMissExponent: what models of random weights whose tokens have topics do, which
// is the careful end. Recorded routing of trained models misses as with exponents of 5 to 12
// (docs/benchmarks.md), so that they read a half to a quarter of that.
constexpr double kMissExponent = 3;
double ExpectedHitRate(double resident_share, double miss_exponent);
// The exponent that a measured hit rate stands for, in [kMissExponentMin, kMissExponentMax]. Empty
// where it tells nothing: all experts are in memory, or none.
std::optional<double> MissExponentOf(double resident_share, double hit_rate);
constexpr double kMissExponentMin = 0.5;
constexpr double kMissExponentMax = 20;

struct SpeedInput {
  StepDemand demand;
  ComputeProbe compute;                  // with a rate of each of TypesOf(demand)
  double resident_share = 1;             // of all experts that have room in memory, in [0, 1]
  double miss_exponent = kMissExponent;  // see ExpectedHitRate
  double request_bytes = 1e6;            // longer reads are split
  std::optional<StorageSpeed> storage;   // needed where resident_share is below 1
  double read_cpu_seconds_per_byte = 0;  // see DeviceProbe
};

// Of one request that decodes alone, with a cache that has filled.
struct SpeedEstimate {
  double tokens_per_second = 0;
  double hit_rate = 1;              // of a token's experts that are in memory, in [0, 1]
  double read_bytes_per_token = 0;  // from storage
  double compute_seconds = 0;       // of a token, with what its reads cost the processor
  double storage_seconds = 0;       // of its reads, were there nothing to compute
  bool storage_bound = false;       // storage takes longer than computing
};

// Pure. Grows with resident_share and with every rate.
//
// A layer asks for its missing experts at once, and computes those in memory meanwhile. But experts
// that land one by one are computed less well than many together: measured, the one about makes up
// for the other. So a token takes the time of its computing, that of submitting and taking its
// reads, and for each layer that of a burst of reads, of a number of misses that is binomial.
// Reading ahead is not counted: it gives little where storage is busy.
SpeedEstimate EstimateSpeed(const SpeedInput& input);

}  // namespace edgemoe
