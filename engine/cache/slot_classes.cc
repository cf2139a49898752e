// SPDX-License-Identifier: Apache-2.0
#include "engine/cache/slot_classes.h"

#include <algorithm>
#include <limits>
#include <map>
#include <string>

#include "engine/base/accepted.h"
#include "engine/base/byte_size.h"
#include "engine/base/check.h"

namespace edgemoe {
namespace {

// Classes are added until the padding is at most this part of the experts' bytes. On packs of the
// demo model at 3 to 5 bits, more classes with less padding gain nothing at a quarter of the F16
// bytes, and lose up to 3 % of hits in a slab of a few slots for each.
constexpr double kPaddingMax = 0.05;

// Sizes nearer to each other than this part of the largest are not told apart: the search below
// takes the square of what it tells apart, and a file may have as many sizes as experts.
constexpr std::uint64_t kGridSteps = 256;

// Experts of neighbouring sizes. Sums are floating: the sizes come from a file, and may be
// anything.
struct SizeGroup {
  std::uint64_t slot_bytes = 0;  // of the largest
  double expert_count = 0;
  double expert_bytes = 0;  // the sum of what each needs
};

SizeGroup Join(const SizeGroup& small, const SizeGroup& large) {
  return {.slot_bytes = std::max(small.slot_bytes, large.slot_bytes),
          .expert_count = small.expert_count + large.expert_count,
          .expert_bytes = small.expert_bytes + large.expert_bytes};
}

double PaddingBytes(const SizeGroup& group) {
  return static_cast<double>(group.slot_bytes) * group.expert_count - group.expert_bytes;
}

// Ascending, at most kGridSteps + 1; empty when there is no expert.
std::vector<SizeGroup> GroupSizes(std::span<const std::uint64_t> expert_slot_bytes) {
  std::uint64_t largest = 0;
  for (const std::uint64_t bytes : expert_slot_bytes) largest = std::max(largest, bytes);
  const std::uint64_t step = std::max<std::uint64_t>(kSlotAlignment, largest / kGridSteps);
  std::map<std::uint64_t, SizeGroup> groups;
  for (const std::uint64_t bytes : expert_slot_bytes) {
    if (bytes == 0) continue;
    const std::uint64_t aligned = AlignUp(bytes, kSlotAlignment);
    SizeGroup& group = groups[(aligned - 1) / step];
    const auto expert_bytes = static_cast<double>(aligned);
    group = Join(group, {.slot_bytes = aligned, .expert_count = 1, .expert_bytes = expert_bytes});
  }
  std::vector<SizeGroup> ascending;
  ascending.reserve(groups.size());
  for (const auto& [cell, group] : groups) ascending.push_back(group);
  return ascending;
}

// The first n groups in some number of classes with the least padding.
struct Cut {
  double padding_bytes = std::numeric_limits<double>::infinity();  // there is no such cut
  std::size_t last_begin = 0;  // the first group of the last class
};

// [groups.size() + 1], by n, from the cuts into one class less.
std::vector<Cut> AddClass(std::span<const SizeGroup> groups, std::span<const Cut> before) {
  std::vector<Cut> cuts(groups.size() + 1);
  for (std::size_t n = 1; n <= groups.size(); ++n) {
    SizeGroup last;
    for (std::size_t begin = n; begin-- > 0;) {
      last = Join(groups[begin], last);
      const double padding_bytes = before[begin].padding_bytes + PaddingBytes(last);
      if (padding_bytes < cuts[n].padding_bytes) cuts[n] = {padding_bytes, begin};
    }
  }
  return cuts;
}

// The classes' slot sizes, ascending.
std::vector<std::uint64_t> ChooseSizes(std::span<const SizeGroup> groups) {
  double expert_bytes = 0;
  for (const SizeGroup& group : groups) expert_bytes += group.expert_bytes;
  std::vector<std::vector<Cut>> cuts(1, std::vector<Cut>(groups.size() + 1));  // by class count
  cuts[0][0].padding_bytes = 0;
  const std::size_t count_max = std::min(kSlotClassCountMax, groups.size());
  do {
    cuts.push_back(AddClass(groups, cuts.back()));
  } while (cuts.size() <= count_max &&
           cuts.back().back().padding_bytes > kPaddingMax * expert_bytes);
  std::vector<std::uint64_t> sizes;
  std::size_t end = groups.size();
  for (std::size_t count = cuts.size() - 1; count > 0; --count) {
    sizes.push_back(groups[end - 1].slot_bytes);
    end = cuts[count][end].last_begin;
  }
  std::ranges::reverse(sizes);
  return sizes;
}

void CountExperts(SlotClasses& classes, std::uint32_t top_k) {
  for (const std::uint8_t slot_class : classes.class_of)
    if (slot_class != kNoSlotClass) ++classes.classes[slot_class].expert_count;
  for (SlotClass& c : classes.classes) {
    const std::uint64_t demand = std::uint64_t{top_k} * c.expert_count;
    c.slot_floor = static_cast<std::uint32_t>((demand + classes.experts_per_layer - 1) /
                                              classes.experts_per_layer);
  }
}

// Up to `more` slots, as far as the bytes that are left go.
void GiveSlots(const SlotClasses& classes, const SlotClass& c, std::uint32_t more,
               std::uint32_t& count, std::uint64_t& left) {
  const std::uint64_t before = classes.MemoryBytes(c, count);
  const std::uint64_t count_max = (before + AlignDown(left, classes.page_bytes)) / c.slot_bytes;
  count += static_cast<std::uint32_t>(std::min<std::uint64_t>(more, count_max - count));
  left -= classes.MemoryBytes(c, count) - before;
}

}  // namespace

Result<SlotClasses> MakeSlotClasses(std::uint32_t layer_count, std::uint32_t experts_per_layer,
                                    std::uint32_t top_k,
                                    std::span<const std::uint64_t> expert_slot_bytes,
                                    std::uint64_t page_bytes) {
  EDGEMOE_CHECK(expert_slot_bytes.size() == std::size_t{layer_count} * experts_per_layer,
                "table of the wrong shape");
  if (top_k < 1 || top_k > experts_per_layer)
    return Failure(NotAccepted(ShowValue(top_k), AcceptedRange(1, experts_per_layer))
                       .WithContext("experts used per token"));
  const std::vector<SizeGroup> groups = GroupSizes(expert_slot_bytes);
  if (groups.empty()) return Failure(InvalidArgumentError("the model has no experts"));

  SlotClasses classes;
  classes.layer_count = layer_count;
  classes.experts_per_layer = experts_per_layer;
  classes.page_bytes = page_bytes;
  const std::vector<std::uint64_t> sizes = ChooseSizes(groups);
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
      const auto begin =
          classes.class_of.begin() +
          static_cast<std::ptrdiff_t>(classes.IndexOf({ExpertLayerIndex{layer}, {}}));
      const auto count = static_cast<std::uint32_t>(
          std::count(begin, begin + classes.experts_per_layer, static_cast<std::uint8_t>(index)));
      slot_class.slot_floor = std::max(slot_class.slot_floor, std::min(top_k, count));
    }
  }
  return classes;
}

std::uint64_t SlabBytesMin(const SlotClasses& classes) {
  std::uint64_t bytes = 0;
  for (const SlotClass& c : classes.classes) bytes += classes.MemoryBytes(c, c.slot_floor);
  return bytes;
}

std::uint64_t SlabBytesMax(const SlotClasses& classes) {
  std::uint64_t bytes = 0;
  for (const SlotClass& c : classes.classes) bytes += classes.MemoryBytes(c, c.expert_count);
  return bytes;
}

Result<std::vector<std::uint32_t>> DivideSlots(const SlotClasses& classes, std::uint64_t bytes) {
  const std::uint64_t least = SlabBytesMin(classes);
  if (bytes < least)
    return Failure(ResourceExhaustedError(
        "expert slab: " +
        FoundAndAccepted(FormatByteSize(bytes), "at least " + FormatByteSize(least) + " (" +
                                                    std::to_string(least) +
                                                    " bytes: one token's experts of all layers)")));
  std::vector<std::uint32_t> counts;
  for (const SlotClass& c : classes.classes) counts.push_back(c.slot_floor);
  std::uint64_t left = bytes - least;
  // Above the floors every class gets the same fraction of the experts that it still lacks.
  const std::uint64_t lacking = SlabBytesMax(classes) - least;
  const double fraction =
      lacking == 0 ? 0.0 : std::min(1.0, static_cast<double>(left) / static_cast<double>(lacking));
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const SlotClass& c = classes.classes[i];
    const auto share = static_cast<std::uint32_t>(fraction * (c.expert_count - c.slot_floor));
    GiveSlots(classes, c, share, counts[i], left);
  }
  // Less than a slot is left for each class; the large ones first, or they would never get any.
  for (std::size_t i = counts.size(); i-- > 0;) {
    const SlotClass& c = classes.classes[i];
    GiveSlots(classes, c, c.expert_count - counts[i], counts[i], left);
  }
  return counts;
}

}  // namespace edgemoe
