// SPDX-License-Identifier: Apache-2.0
//
// The names that a template can use without defining them. Every failure is INVALID_ARGUMENT
// without line and column: the evaluator adds them.
#pragma once

#include <ctime>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/template/builtins/arguments.h"
#include "engine/template/values/value.h"

namespace edgemoe::jinja {

// value | name(arguments)
Result<Value> ApplyFilter(std::string_view name, const Value& value, const Arguments& arguments,
                          Budget& budget);

// value is name(arguments)
Result<bool> ApplyTest(std::string_view name, const Value& value, const Arguments& arguments,
                       Budget& budget);

// value.name(arguments), where HasMethod() (method_names.h).
Result<Value> CallMethod(const Value& value, std::string_view name, const Arguments& arguments,
                         Budget& budget);

// The entries of all positional arguments, dictionaries or lists of pairs, and the named ones: what
// dict(...), namespace(...) and update(...) take.
Result<std::vector<std::pair<Value, Value>>> EntriesOf(std::string_view callee,
                                                       const Arguments& arguments, Budget& budget);

// The function called `name`; strftime_now only where there is a `now`.
std::optional<Function> FindFunction(std::string_view name, const std::optional<std::tm>& now);
Result<Value> CallFunction(Function function, const Arguments& arguments,
                           const std::optional<std::tm>& now, Budget& budget);

}  // namespace edgemoe::jinja
