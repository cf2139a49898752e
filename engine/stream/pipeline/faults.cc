// SPDX-License-Identifier: Apache-2.0
#include "engine/stream/pipeline/faults.h"

#include <string>
#include <utility>
#include <vector>

#include "engine/base/accepted.h"

namespace edgemoe {
namespace {

constexpr const char* kField = "io_faults";

Status UnknownExpert(ExpertKey key, const ExpertLayout& layout) {
  return InvalidField(
      kField, "layer " + ShowValue(key.layer.value) + ", expert " + ShowValue(key.expert.value),
      "layers below " + ShowValue(layout.layer_count) + ", experts below " +
          ShowValue(layout.experts_per_layer));
}

}  // namespace

Result<FaultSchedule> FaultsFor(std::string_view io_faults, const ExpertLayout& layout) {
  Result<FaultSchedule> faults = ParseFaultSchedule(io_faults);
  if (!faults) return Failure(faults.error().InField(kField));
  std::vector<FaultRule> rules;
  for (FaultRule& rule : faults->rules) {
    if (!rule.expert) {
      rules.push_back(rule);
      continue;
    }
    const ExpertKey key = *std::exchange(rule.expert, std::nullopt);
    if (key.layer.value >= layout.layer_count || key.expert.value >= layout.experts_per_layer)
      return Failure(UnknownExpert(key, layout));
    for (const ExpertExtent& extent : layout.of(key)) {
      // The middle byte: its neighbours' reads, rounded outwards to blocks, touch the ends.
      rule.offset_begin = extent.offset + extent.bytes / 2;
      rule.offset_end = rule.offset_begin + 1;
      rule.file_index = extent.file_index;
      rules.push_back(rule);
    }
  }
  faults->rules = std::move(rules);
  return faults;
}

}  // namespace edgemoe
