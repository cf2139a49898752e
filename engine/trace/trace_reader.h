// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <istream>
#include <string>

#include "engine/base/result.h"
#include "engine/trace/routing_trace.h"

namespace edgemoe {

constexpr std::size_t kTraceRowsMax = std::size_t{32} << 20;  // lines; 8 to 40 bytes each in memory
constexpr std::size_t kTraceLineBytesMax = 4096;
constexpr std::uint32_t kTraceSessionsMax = 64;  // turns that run at once

// Reads a whole trace; `name` is what errors call it. INVALID_ARGUMENT: "name:line: column:
// found X; accepted: Y"; a trace without rows is one too. RESOURCE_EXHAUSTED beyond the bounds
// above.
Result<RoutingTrace> ReadTrace(std::istream& input, const std::string& name);

}  // namespace edgemoe
