// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "engine/base/result.h"
#include "engine/cache/eviction_policy.h"

namespace edgemoe {

// The names that FindEvictionPolicy takes, as an error lists them; the first is the default.
constexpr std::string_view kEvictionPolicyNames = "lfru, lru, lfu, edgemoe";

// INVALID_ARGUMENT names what was asked for and the names that there are.
Result<EvictionPolicyFactory> FindEvictionPolicy(std::string_view name);

}  // namespace edgemoe
