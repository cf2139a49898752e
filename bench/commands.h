// SPDX-License-Identifier: Apache-2.0
//
// Each measures and gives a report. Errors name the option, or come from the engine.
#pragma once

#include "bench/report.h"
#include "bench/settings.h"

namespace edgemoe::bench {

Result<Report> Run(const DecodeCommand& command, const Settings& settings);
Result<Report> Run(const PrefillCommand& command, const Settings& settings);
Result<Report> Run(const SpeedCommand& command, const Settings& settings);
Result<Report> Run(const IoCommand& command, const Settings& settings);
Result<Report> Run(const BaselinesCommand& command, const Settings& settings);
Result<Report> Run(const ReplayCommand& command, const Settings& settings);
Result<Report> Run(const QualityCommand& command, const Settings& settings);

}  // namespace edgemoe::bench
