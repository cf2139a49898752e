// SPDX-License-Identifier: Apache-2.0
//
// The job behind every method but a copy: finds a type for each tensor, then writes the pack.
//
// It runs calibration text through the source (experts from storage, as the engine does), measures
// what errors of each tensor in each type do, chooses, writes, and measures the result. What it
// found is kept beside the output as it goes (OUTPUT.partial.calibration, OUTPUT.partial.probes): a
// job that was cancelled or killed goes on from there when it is started again with the same
// options, and writes the same bytes as one that was not.
#pragma once

#include "engine/base/result.h"
#include "engine/pack/pack_request.h"

namespace edgemoe {

// Errors of RunPackJob, of OfflineModel and of calibration texts; INVALID_ARGUMENT names an option,
// what was found and what is accepted; OUT_OF_RANGE: no choice of types meets the target; names the
// least and the most that can be had. REQUIRES: options.method is not kCopy.
Result<PackReport> RunAdaptivePack(const PackOptions& options);

// Reads the header only.
Result<PackMemory> PlanPackMemory(const PackOptions& options);

}  // namespace edgemoe
