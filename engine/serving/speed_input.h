// SPDX-License-Identifier: Apache-2.0
//
// What an estimate of speed is made of, for a plan of this engine.
#pragma once

#include <string>

#include "engine/describe.h"
#include "engine/options.h"
#include "engine/plan.h"
#include "engine/probe.h"
#include "engine/speed/compute_probe.h"
#include "engine/speed/speed_estimate.h"
#include "engine/stream/expert_layout.h"

namespace edgemoe {

// How computing is measured and kept for these options. REQUIRES: they are valid.
ComputeKey ComputeKeyFor(const EngineOptions& options);

// `probe` null: the storage is not known. REQUIRES: it is known, or the plan has room for all
// experts.
SpeedInput MakeSpeedInput(const StepDemand& demand, const MemoryPlan& plan, ComputeProbe compute,
                          const ProbeReport* probe);

// What SpeedPair calls a model: the same for a file and its header alone.
std::string SpeedModelOf(const ModelDescription& description, const ExpertLayout& layout);

// Of all experts, that the plan has room for; in [0, 1].
double ResidentShare(const MemoryPlan& plan);
// Whether the plan leaves experts to be read.
bool ReadsExperts(const MemoryPlan& plan);

}  // namespace edgemoe
