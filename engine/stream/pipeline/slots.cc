// SPDX-License-Identifier: Apache-2.0
#include "engine/stream/pipeline/slots.h"

#include <string>
#include <vector>

namespace edgemoe {

Result<SlotClasses> SlotClassesOf(const ExpertLayout& layout, std::uint32_t top_k) {
  const std::uint64_t expected = std::uint64_t{layout.layer_count} * layout.experts_per_layer;
  if (layout.extents.size() != expected)
    return Failure(InvalidArgumentError("expert layout: found " +
                                        std::to_string(layout.extents.size()) +
                                        " experts, expected " + std::to_string(layout.layer_count) +
                                        " layers of " + std::to_string(layout.experts_per_layer)));
  if (layout.extents.empty()) return SlotClasses();  // a model without experts
  std::vector<std::uint64_t> slot_bytes;
  slot_bytes.reserve(layout.extents.size());
  for (const ExpertExtents& extents : layout.extents) slot_bytes.push_back(SlotBytesFor(extents));
  return MakeSlotClasses(layout.layer_count, layout.experts_per_layer, top_k, slot_bytes);
}

}  // namespace edgemoe
