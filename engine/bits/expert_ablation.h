// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/bits/measurement_log.h"
#include "engine/study/source_study.h"

namespace edgemoe {

struct AblationJob {
  std::string base_path;  // a pack of EdgemoeBase's types; written here when something is missing
  std::size_t threads = 1;
  ComputePool* pool = nullptr;
  MeasurementLog* log = nullptr;  // what it holds is not measured again
  const std::atomic<bool>* cancelled = nullptr;
  std::function<void(std::uint64_t done, std::uint64_t total)> progress{};  // passes
};

// The paper's importance of each expert, [layers * experts]: the KL of the model with this expert
// alone at kEdgemoeWidths' lowest, all others at the middle one. One pass over the sample for each.
// Errors of the study's models and of RunPackJob.
Result<std::vector<double>> AblateExperts(SourceStudy& study, const AblationJob& job);

}  // namespace edgemoe
