// SPDX-License-Identifier: Apache-2.0
//
// Keeps what was measured of computing across restarts: one small JSON file for each kernel table
// and number of threads.
#pragma once

#include <optional>
#include <string>

#include "engine/base/status.h"
#include "engine/speed/compute_probe.h"

namespace edgemoe {

// Of the way of measuring; what another version kept is measured anew.
constexpr int kComputeProbeVersion = 2;

// In `directory`: "compute-probe-avx512-2.json".
std::string ComputeStorePath(const std::string& directory, const ComputeKey& key);

// Nothing when there is no such file, or one that is not as WriteComputeProbe leaves it: damaged,
// of another version, or of another processor.
std::optional<ComputeProbe> ReadComputeProbe(const std::string& path, const ComputeKey& key);

// Replaces the file at once, and makes its directory where that is missing. Errors name the path.
Status WriteComputeProbe(const std::string& path, const ComputeProbe& probe);

}  // namespace edgemoe
