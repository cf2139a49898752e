// SPDX-License-Identifier: Apache-2.0
#include "engine/stream/expert_layout.h"

#include "engine/stream/pipeline/reads.h"

namespace edgemoe {

std::uint64_t SlotBytesFor(const ExpertExtents& extents) { return LayOutReads(extents).slot_bytes; }

}  // namespace edgemoe
