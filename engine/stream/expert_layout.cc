// SPDX-License-Identifier: Apache-2.0
#include "engine/stream/expert_layout.h"

#include "engine/stream/read_plan.h"

namespace edgemoe {

std::uint64_t SlotBytesFor(const ExpertExtents& extents) { return PlanReads(extents).slot_bytes; }

}  // namespace edgemoe
