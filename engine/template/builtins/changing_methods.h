// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "engine/template/builtins/builtins.h"

namespace edgemoe::jinja {

// Whether a method that HasMethod() knows changes what it is called on.
bool IsChangingMethod(const Value& value, std::string_view name);
// INVALID_ARGUMENT also where another list or dictionary holds the value (List::is_held).
Result<Value> CallChangingMethod(const Value& value, std::string_view name,
                                 const Arguments& arguments, Budget& budget);

}  // namespace edgemoe::jinja
