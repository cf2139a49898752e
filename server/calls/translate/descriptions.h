// SPDX-License-Identifier: Apache-2.0
//
// Descriptions, plans and counters of the engine as messages of the API.
#pragma once

#include <cstdint>

#include "edgemoe/v1/inference.pb.h"
#include "edgemoe/v1/models.pb.h"
#include "edgemoe/v1/observe.pb.h"
#include "engine/describe.h"
#include "engine/engine.h"
#include "engine/plan.h"
#include "engine/probe.h"
#include "engine/speed.h"
#include "server/calls/request_table.h"
#include "server/memory/process_memory.h"

namespace edgemoe {

v1::Model ToApi(const ModelDescription& description, v1::ModelState state);
v1::MemoryPlan ToApi(const MemoryPlan& plan);
v1::ExpectedSpeed ToApi(const ExpectedSpeed& expected);
v1::ProbeResponse ToApi(const ProbeReport& report);
v1::GetStatsResponse ToApi(const EngineStats& stats, const ProcessMemory& process);
v1::Request ToApi(const RequestSummary& request, std::uint64_t now_ns);

}  // namespace edgemoe
