// SPDX-License-Identifier: Apache-2.0
//
// Runs configurations in turn, so that other work of the machine slows all of them alike, and sums
// up what was measured.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/configuration.h"
#include "bench/generation.h"
#include "engine/probe.h"

namespace edgemoe::bench {

// One configuration's runs, in the order of running.
struct Measured {
  Configuration configuration;
  std::vector<GenerationSample> samples;
  EngineStats stats;  // of the last engine: kernels, threads, reader
};

// For people and programs; medians over runs, percentiles over all gaps of all runs.
struct DecodeSummary {
  double tokens_per_second = 0;
  double gap_p50_s = 0;
  double gap_p95_s = 0;
  double gap_p99_s = 0;
  double first_token_s = 0;
  double hit_rate = 0;  // in [0, 1]
  double bytes_per_token = 0;
  double wait_share = 0;             // of the time, in [0, 1]
  double wait_bytes_per_second = 0;  // that storage gave while it was waited for
  double cpu_s_per_token = 0;
};
DecodeSummary Summarise(const std::vector<GenerationSample>& samples);

// Each sample's own speed.
double TokensPerSecond(const GenerationSample& sample);

// Opens the configuration, writes `warmup_tokens` in answer to another prompt where that is asked
// for, then runs `plan`. `stats` are the engine's at the end.
Result<GenerationSample> MeasureOnce(const Configuration& configuration, const GenerationPlan& plan,
                                     std::uint32_t warmup_tokens, EngineStats& stats);

// The file, mode, storage and what else tells a configuration from its neighbours.
std::string NameOf(const Configuration& configuration);

// Opens each configuration again for each run (memory for one at a time is enough), writes
// `warmup_tokens` in answer to another prompt where that is asked for, then runs `plan`.
Result<std::vector<Measured>> MeasureInTurn(const std::vector<Configuration>& configurations,
                                            const GenerationPlan& plan, std::uint32_t warmup_tokens,
                                            std::uint32_t runs);

// Whether all samples of a file wrote the same tokens, as far as each got. Files may differ: they
// are of different precision.
bool AllAlike(const std::vector<Measured>& measured);

// The bandwidth that a configuration's storage has: the model of it, or what was probed.
double StorageBytesPerSecond(const Measured& measured, const ProbeReport& probe);

}  // namespace edgemoe::bench
