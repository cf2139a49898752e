// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "engine/base/result.h"
#include "engine/cache/slot_classes.h"
#include "engine/stream/expert_layout.h"

namespace edgemoe {

// The slot classes of a model's experts, from where they lie; SlabBytesMin of them is the least
// expert budget. Errors as MakeSlotClasses; INVALID_ARGUMENT also when the layout's table has not
// layer_count * experts_per_layer entries.
Result<SlotClasses> SlotClassesOf(const ExpertLayout& layout, std::uint32_t top_k);

}  // namespace edgemoe
