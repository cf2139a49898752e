// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "engine/base/result.h"
#include "engine/io/fault_schedule.h"
#include "engine/stream/expert_layout.h"

namespace edgemoe {

// The faults of EngineOptions::io_faults, where experts are ranges of bytes. INVALID_ARGUMENT,
// about the field "io_faults", for what ParseFaultSchedule refuses and for an expert that the
// layout does not have.
Result<FaultSchedule> FaultsFor(std::string_view io_faults, const ExpertLayout& layout);

}  // namespace edgemoe
