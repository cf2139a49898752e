// SPDX-License-Identifier: Apache-2.0
#include "engine/model/arch/other_inputs.h"

#include <initializer_list>
#include <utility>

namespace edgemoe {
namespace {

using Prefix = std::pair<std::string_view, std::string_view>;

std::string_view Match(std::string_view name, std::initializer_list<Prefix> prefixes) {
  for (const auto& [prefix, input] : prefixes)
    if (name.starts_with(prefix)) return input;
  return {};
}

}  // namespace

std::string_view OtherInputOfTensor(std::string_view name) {
  return Match(name, {{"v.", kImages}, {"a.", kAudio}, {"mm.", kImagesOrAudio}});
}

std::string_view OtherInputOfKey(std::string_view name) {
  return Match(name, {{"vision.", kImages}, {"audio.", kAudio}, {"mm.", kImagesOrAudio}});
}

}  // namespace edgemoe
