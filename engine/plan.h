// SPDX-License-Identifier: Apache-2.0
//
// The memory plan: who gets which part of a budget, computed without loading anything.
#pragma once

#include <cstdint>
#include <string>

#include "engine/base/result.h"
#include "engine/options.h"

namespace edgemoe {

// Who gets which part of the budget. Made without loading anything.
struct MemoryPlan {
  std::uint64_t model_file_bytes = 0;
  std::uint64_t usable_bytes = 0;  // physical memory or the smallest cgroup limit among ancestors
  std::uint64_t budget_bytes = 0;
  std::uint64_t dense_bytes = 0;
  std::uint64_t state_bytes = 0;  // of all sequences
  std::uint64_t workspace_bytes = 0;
  std::uint64_t expert_bytes = 0;           // what is left for the slab
  std::uint64_t expert_total_bytes = 0;     // a slab that holds every expert
  std::uint64_t expert_floor_bytes = 0;     // least slab that works: one token's demand
  std::uint64_t budget_floor_bytes = 0;     // least budget that works with these options
  std::uint64_t budget_resident_bytes = 0;  // budget at which nothing is read twice
  bool fits = false;
  // One sentence for people. When it does not fit: what `shortage` says.
  std::string explanation;
  // OK when it fits. RESOURCE_EXHAUSTED names the option that is too small and the least that
  // works.
  Status shortage;
};

// Reads the header only. A budget that does not fit is not an error here: see `fits`.
Result<MemoryPlan> PlanMemory(const EngineOptions& options);

}  // namespace edgemoe
