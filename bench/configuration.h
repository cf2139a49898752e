// SPDX-License-Identifier: Apache-2.0
//
// From settings to engines: which configurations are measured against each other.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/report.h"
#include "bench/settings.h"
#include "engine/options.h"
#include "engine/plan.h"

namespace edgemoe::bench {

struct Configuration {
  EngineOptions options;  // model_path: the file
  MemoryPlan plan;
  std::string expert_budget;  // as it was given; empty: no limit
};

// EdgeMoE's own expert (Switch-base: 2 matrices of 768 x 3072 floats). With "--storage-scale paper"
// the bandwidth of a modelled device is multiplied by (bytes of this model's expert) /
// kPaperExpertBytes, so that a missed expert costs the time that it cost in the paper; the latency
// stays as it is. "This model" is the first file, whatever the others have.
constexpr std::uint64_t kPaperExpertBytes = std::uint64_t{2} * 768 * 3072 * 4;

// Without the folders, as tables have it.
std::string FileName(const std::string& path);

// All combinations of the lists, each planned. The errors of PlanMemory; RESOURCE_EXHAUSTED for a
// combination that does not fit. mmap is left out where storage is modelled: the page cache cannot
// be slowed down; `notes` then says so. Modes other than edgemoe come once, not for each policy,
// predictor and expert budget, which they do not use.
struct Configurations {
  std::vector<Configuration> list;
  std::vector<std::string> notes;
};
Result<Configurations> MakeConfigurations(const RunSettings& run);

// The names under which a configuration's results stand.
Json ToJson(const Configuration& configuration);

}  // namespace edgemoe::bench
