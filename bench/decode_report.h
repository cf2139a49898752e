// SPDX-License-Identifier: Apache-2.0
//
// What decode and baselines have in common: measuring, and one row a configuration.
#pragma once

#include <string>
#include <vector>

#include "bench/measure.h"
#include "bench/report.h"
#include "engine/probe.h"

namespace edgemoe::bench {

struct DecodeMeasurement {
  std::vector<Measured> measured;
  ProbeReport probe;  // of the storage under the first file
  bool alike = false;
  std::vector<std::string> notes;
};
Result<DecodeMeasurement> MeasureDecode(const RunSettings& run);

// Table and notes.
std::string DecodeText(const RunSettings& run, const DecodeMeasurement& measurement);

// Adds "model" (of the first file), "storage", "settings", "same_tokens", "notes" and "results",
// whose entries stand in the order of `measured`.
Status AddDecodeJson(const RunSettings& run, const DecodeMeasurement& measurement, Json& json);

}  // namespace edgemoe::bench
