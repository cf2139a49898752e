// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string_view>

#include "engine/base/result.h"
#include "engine/cache/eviction_policy.h"

namespace edgemoe {

// The names that FindEvictionPolicy takes; the first is the default.
constexpr std::array<std::string_view, 4> kEvictionPolicyNames = {"lfru", "lru", "lfu", "edgemoe"};

// INVALID_ARGUMENT names what was asked for and the names that there are, not the field.
Result<EvictionPolicyFactory> FindEvictionPolicy(std::string_view name);

}  // namespace edgemoe
