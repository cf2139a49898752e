// SPDX-License-Identifier: Apache-2.0
#include "engine/template/builtins/builtins.h"
#include "engine/template/text/text.h"
#include "engine/template/values/comparison.h"
#include "engine/template/values/operators.h"
#include "engine/template/values/printing.h"

namespace edgemoe::jinja {

namespace {

std::optional<Operator> ComparisonCalled(std::string_view name) {
  if (name == "equalto" || name == "eq" || name == "==") return Operator::kEqual;
  if (name == "ne" || name == "!=") return Operator::kNotEqual;
  if (name == "lt" || name == "lessthan" || name == "<") return Operator::kLess;
  if (name == "le" || name == "<=") return Operator::kLessEqual;
  if (name == "gt" || name == "greaterthan" || name == ">") return Operator::kGreater;
  if (name == "ge" || name == ">=") return Operator::kGreaterEqual;
  if (name == "in") return Operator::kIn;
  return std::nullopt;
}

// As Python's "is": the same constant, or the very same piece of data.
bool IsSame(const Value& a, const Value& b) {
  if (a.list() != nullptr || b.list() != nullptr) return a.list() == b.list();
  if (a.dictionary() != nullptr || b.dictionary() != nullptr) {
    return a.dictionary() == b.dictionary();
  }
  return a.type() == b.type() && AreEqual(a, b);
}

// Tests without arguments on what kind of value it is; nullopt for other names.
std::optional<bool> IsOfKind(std::string_view name, const Value& value) {
  if (name == "defined") return !value.is_undefined();
  if (name == "undefined") return value.is_undefined();
  if (name == "none") return value.is_none();
  if (name == "string") return value.is_string();
  if (name == "boolean") return value.is_boolean();
  if (name == "true") return value.is_boolean() && IsTrue(value);
  if (name == "false") return value.is_boolean() && !IsTrue(value);
  // Python's booleans are numbers, too.
  if (name == "number") return value.number().has_value();
  if (name == "integer") return value.is_integer();
  if (name == "float") return value.is_float();
  if (name == "mapping") return value.dictionary() != nullptr;
  const bool is_view = value.list() != nullptr && value.list()->is_view();
  const bool is_sequence = value.is_undefined() || value.is_string() ||
                           value.dictionary() != nullptr || value.list() != nullptr;
  if (name == "sequence") return is_sequence && !is_view;
  if (name == "iterable") return is_sequence || value.loop() != nullptr;
  if (name == "callable") return value.is_callable() || value.is_undefined();
  if (name == "escaped") return value.is_safe();
  return std::nullopt;
}

}  // namespace

Result<bool> ApplyTest(std::string_view name, const Value& value, const Arguments& arguments,
                       Budget& budget) {
  if (const auto op = ComparisonCalled(name)) {
    EDGEMOE_ASSIGN_OR_FAIL(const auto bound, BoundArguments::Bind(name, arguments, {"other"}));
    EDGEMOE_FAIL_IF_ERROR(bound.Require(0));
    EDGEMOE_ASSIGN_OR_FAIL(const Value result, ApplyBinary(*op, value, bound.Get(0), budget));
    return IsTrue(result);
  }
  if (name == "sameas" || name == "divisibleby") {
    EDGEMOE_ASSIGN_OR_FAIL(const auto bound, BoundArguments::Bind(name, arguments, {"other"}));
    EDGEMOE_FAIL_IF_ERROR(bound.Require(0));
    if (name == "sameas") return IsSame(value, bound.Get(0));
    EDGEMOE_ASSIGN_OR_FAIL(const Value rest,
                           ApplyBinary(Operator::kModulo, value, bound.Get(0), budget));
    return !IsTrue(rest);
  }
  EDGEMOE_ASSIGN_OR_FAIL([[maybe_unused]] const auto none,
                         BoundArguments::Bind(name, arguments, {}));
  if (const auto result = IsOfKind(name, value)) return *result;
  if (name == "odd" || name == "even") {
    EDGEMOE_ASSIGN_OR_FAIL(const Value rest,
                           ApplyBinary(Operator::kModulo, value, Value(2), budget));
    return AreEqual(rest, Value(name == "odd" ? 1 : 0));
  }
  if (name == "upper" || name == "lower") {
    EDGEMOE_ASSIGN_OR_FAIL(const std::string text, ToText(value, budget));
    EDGEMOE_FAIL_IF_ERROR(budget.Spend(text.size()));
    return name == "upper" ? IsUpperText(text) : IsLowerText(text);
  }
  return Failure(
      InvalidArgumentError("no test is called \"" + std::string(name.substr(0, 64)) + "\""));
}

}  // namespace edgemoe::jinja
