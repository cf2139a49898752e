// SPDX-License-Identifier: Apache-2.0
//
// Who gets which part of the memory budget.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/model/state/state_pool.h"
#include "engine/options.h"
#include "engine/plan.h"
#include "engine/scheduler/step_loop.h"
#include "engine/serving/describe_header.h"

namespace edgemoe {

// What follows from the options once the model is known.
struct RunLimits {
  StepLimits steps;
  std::size_t thread_count = 1;
  ModelConfig config;  // as in the file, but with the context that is served
};
// What sequences may take together.
StateLimits StateLimitsOf(const RunLimits& limits);

// `usable_bytes` as for MakePlan.
RunLimits LimitsFor(const ModelHeader& header, const EngineOptions& options,
                    std::uint64_t usable_bytes);

// Pure. `usable_bytes` 0: unknown.
MemoryPlan MakePlan(const ModelHeader& header, const RunLimits& limits,
                    const EngineOptions& options, std::uint64_t usable_bytes);

// The same model and options under another budget; 0: the default one. Pure. Its shortage names
// "budget_bytes"; a budget above what is usable is one, too.
MemoryPlan WithBudget(const MemoryPlan& plan, const EngineOptions& options,
                      std::uint64_t budget_bytes, std::uint64_t usable_bytes);

}  // namespace edgemoe
