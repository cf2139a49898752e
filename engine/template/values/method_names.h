// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "engine/template/values/value.h"

namespace edgemoe::jinja {

// Whether value.name is one of the methods that Python's type of the value has, also one that is
// not supported: then it is no part of the value, whatever keys that has.
bool HasMethod(const Value& value, std::string_view name);

}  // namespace edgemoe::jinja
