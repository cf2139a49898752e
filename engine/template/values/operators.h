// SPDX-License-Identifier: Apache-2.0
//
// Operators and access to parts. Every failure is INVALID_ARGUMENT without line and column: the
// evaluator adds them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/template/syntax/syntax.h"
#include "engine/template/values/value.h"

namespace edgemoe::jinja {

Result<Value> ApplyBinary(Operator op, const Value& left, const Value& right, Budget& budget);
Result<Value> Negate(const Value& value);
// Keeps the sign: a number stays what it is.
Result<Value> Affirm(const Value& value);

// A text made of `whole`: safe like it.
Value SameText(const Value& whole, std::string text);

// value.name; undefined where there is none. Only an undefined `value` is an error.
Result<Value> GetAttribute(const Value& value, std::string_view name, Budget& budget);
// value[key]
Result<Value> GetItem(const Value& value, const Value& key, Budget& budget);
// value.a.0.b: names and numbers with dots between, as filters take them. What is not there is
// `absent`, if that is not null.
Result<Value> GetPath(const Value& value, std::string_view path, const Value* absent,
                      Budget& budget);
// value[first:last:step]; undefined and none stand for what is left out.
Result<Value> GetSlice(const Value& value, const Value& first, const Value& last, const Value& step,
                       Budget& budget);

}  // namespace edgemoe::jinja
