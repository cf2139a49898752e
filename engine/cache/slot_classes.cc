// SPDX-License-Identifier: Apache-2.0
#include "engine/cache/slot_classes.h"

#include <algorithm>
#include <limits>
#include <map>
#include <string>

#include "engine/base/aligned_buffer.h"
#include "engine/base/byte_size.h"
#include "engine/base/check.h"

namespace edgemoe {
namespace {

// Equal experts at different offsets within a block differ by no more: one block for each matrix.
constexpr std::uint64_t kSimilarBytes = 3 * kPageBytes;

// Upper ends of the classes' sizes, ascending, from the number of experts of each size.
std::vector<std::uint64_t> ChooseSizes(
    const std::map<std::uint64_t, std::uint64_t>& count_by_size) {
  struct Group {
    std::uint64_t slot_bytes;
    std::uint64_t expert_count;
  };
  std::vector<Group> groups;  // from the largest size down
  for (auto size = count_by_size.rbegin(); size != count_by_size.rend(); ++size) {
    if (!groups.empty() && groups.back().slot_bytes - size->first <= kSimilarBytes)
      groups.back().expert_count += size->second;
    else
      groups.push_back({size->first, size->second});
  }
  while (groups.size() > kSlotClassCountMax) {
    // Join the pair that wastes the fewest bytes.
    std::size_t best = 0;
    std::uint64_t best_waste = std::numeric_limits<std::uint64_t>::max();
    for (std::size_t i = 0; i + 1 < groups.size(); ++i) {
      const std::uint64_t waste =
          (groups[i].slot_bytes - groups[i + 1].slot_bytes) * groups[i + 1].expert_count;
      if (waste < best_waste) {
        best = i;
        best_waste = waste;
      }
    }
    groups[best].expert_count += groups[best + 1].expert_count;
    groups.erase(groups.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
  std::vector<std::uint64_t> sizes;
  for (auto group = groups.rbegin(); group != groups.rend(); ++group)
    sizes.push_back(group->slot_bytes);
  return sizes;
}

void CountExperts(SlotClasses& classes, std::uint32_t top_k) {
  for (std::uint32_t layer = 0; layer < classes.layer_count; ++layer) {
    std::vector<std::uint32_t> in_layer(classes.classes.size());
    for (std::uint32_t expert = 0; expert < classes.experts_per_layer; ++expert) {
      const std::uint8_t slot_class =
          classes.class_of[classes.IndexOf({LayerIndex{layer}, ExpertIndex{expert}})];
      if (slot_class != kNoSlotClass) ++in_layer[slot_class];
    }
    for (std::size_t i = 0; i < in_layer.size(); ++i) {
      classes.classes[i].expert_count += in_layer[i];
      classes.classes[i].slot_floor += std::min(top_k, in_layer[i]);
    }
  }
}

}  // namespace

Result<SlotClasses> MakeSlotClasses(std::uint32_t layer_count, std::uint32_t experts_per_layer,
                                    std::uint32_t top_k,
                                    std::span<const std::uint64_t> expert_slot_bytes) {
  EDGEMOE_CHECK(expert_slot_bytes.size() == std::size_t{layer_count} * experts_per_layer,
                "table of the wrong shape");
  if (top_k < 1 || top_k > experts_per_layer)
    return Failure(InvalidArgumentError("experts used per token: found " + std::to_string(top_k) +
                                        ", accepted 1 to " + std::to_string(experts_per_layer)));
  std::map<std::uint64_t, std::uint64_t> count_by_size;
  for (const std::uint64_t bytes : expert_slot_bytes)
    if (bytes > 0) ++count_by_size[AlignUp(bytes, kPageBytes)];
  if (count_by_size.empty()) return Failure(InvalidArgumentError("the model has no experts"));

  SlotClasses classes;
  classes.layer_count = layer_count;
  classes.experts_per_layer = experts_per_layer;
  const std::vector<std::uint64_t> sizes = ChooseSizes(count_by_size);
  for (const std::uint64_t bytes : sizes) classes.classes.push_back({.slot_bytes = bytes});
  classes.class_of.reserve(expert_slot_bytes.size());
  for (const std::uint64_t bytes : expert_slot_bytes) {
    const auto fitting = std::ranges::lower_bound(sizes, bytes);
    classes.class_of.push_back(bytes == 0 ? kNoSlotClass
                                          : static_cast<std::uint8_t>(fitting - sizes.begin()));
  }
  CountExperts(classes, top_k);
  return classes;
}

SlotClasses WithLayerFloors(SlotClasses classes, std::uint32_t top_k) {
  for (std::size_t index = 0; index < classes.classes.size(); ++index) {
    SlotClass& slot_class = classes.classes[index];
    slot_class.slot_floor = 1;
    for (std::uint32_t layer = 0; layer < classes.layer_count; ++layer) {
      const auto begin = classes.class_of.begin() +
                         static_cast<std::ptrdiff_t>(classes.IndexOf({LayerIndex{layer}, {}}));
      const auto count = static_cast<std::uint32_t>(
          std::count(begin, begin + classes.experts_per_layer, static_cast<std::uint8_t>(index)));
      slot_class.slot_floor = std::max(slot_class.slot_floor, std::min(top_k, count));
    }
  }
  return classes;
}

std::uint64_t SlabBytesMin(const SlotClasses& classes) {
  std::uint64_t bytes = 0;
  for (const SlotClass& c : classes.classes) bytes += c.slot_bytes * c.slot_floor;
  return bytes;
}

std::uint64_t SlabBytesMax(const SlotClasses& classes) {
  std::uint64_t bytes = 0;
  for (const SlotClass& c : classes.classes) bytes += c.slot_bytes * c.expert_count;
  return bytes;
}

Result<std::vector<std::uint32_t>> DivideSlots(const SlotClasses& classes, std::uint64_t bytes) {
  const std::uint64_t least = SlabBytesMin(classes);
  if (bytes < least)
    return Failure(ResourceExhaustedError(
        "expert slab: found " + FormatByteSize(bytes) + ", accepted from " + FormatByteSize(least) +
        " (" + std::to_string(least) + " bytes: one token's experts of all layers)"));
  std::vector<std::uint32_t> counts;
  for (const SlotClass& c : classes.classes) counts.push_back(c.slot_floor);
  std::uint64_t left = bytes - least;
  // Above the floors every class gets the same fraction of the experts that it still lacks.
  const std::uint64_t lacking = SlabBytesMax(classes) - least;
  const double fraction =
      lacking == 0 ? 0.0 : std::min(1.0, static_cast<double>(left) / static_cast<double>(lacking));
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const SlotClass& c = classes.classes[i];
    const auto share = static_cast<std::uint64_t>(fraction * (c.expert_count - c.slot_floor));
    const auto more = static_cast<std::uint32_t>(std::min(share, left / c.slot_bytes));
    counts[i] += more;
    left -= more * c.slot_bytes;
  }
  // Less than a slot is left for each class; the large ones first, or they would never get any.
  for (std::size_t i = counts.size(); i-- > 0;) {
    const SlotClass& c = classes.classes[i];
    const auto more = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(c.expert_count - counts[i], left / c.slot_bytes));
    counts[i] += more;
    left -= more * c.slot_bytes;
  }
  return counts;
}

}  // namespace edgemoe
