// SPDX-License-Identifier: Apache-2.0
#include "engine/template/builtins/filters.h"

#include "engine/template/values/method_names.h"
#include "engine/template/values/operators.h"
#include "engine/template/values/printing.h"

namespace edgemoe::jinja {

namespace {

using Bound = BoundArguments;

Result<Value> Default(const FilterCall& call) {
  EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, call.Bind({"default_value", "boolean"}));
  const bool keeps = bound.Flag(1, false) ? IsTrue(call.value) : !call.value.is_undefined();
  if (keeps) return call.value;
  return bound.Has(0) ? bound.Get(0) : Value(std::string());
}

Result<Value> Length(const FilterCall& call) {
  if (call.value.is_string()) EDGEMOE_FAIL_IF_ERROR(call.budget.Spend(call.value.string()->size()));
  EDGEMOE_ASSIGN_OR_FAIL(const std::size_t length, LengthOf(call.value));
  return Value(length);
}

Result<Value> ToJsonFilter(const FilterCall& call) {
  EDGEMOE_ASSIGN_OR_FAIL(const Bound bound,
                         call.Bind({"ensure_ascii", "indent", "separators", "sort_keys"}));
  JsonFormat format;
  format.ascii_only = bound.Flag(0, false);
  format.sort_keys = bound.Flag(3, false);
  EDGEMOE_ASSIGN_OR_FAIL(const std::int64_t indent, bound.Integer(1, -1));
  if (indent > kIndentMax) {
    return Failure(InvalidArgumentError("tojson: indent " + std::to_string(indent) +
                                        ": up to 64 is accepted"));
  }
  if (indent >= 0) {
    format.indent = static_cast<int>(indent);
    format.item_separator = ",";
  }
  const Value separators = bound.Get(2);
  if (!separators.is_undefined() && !separators.is_none()) {
    const List* const pair = separators.list();
    if (pair == nullptr || pair->items.size() != 2 || !pair->items[0].is_string() ||
        !pair->items[1].is_string()) {
      return Failure(InvalidArgumentError("tojson: separators are not two strings"));
    }
    format.item_separator = *pair->items[0].string();
    format.key_separator = *pair->items[1].string();
  }
  EDGEMOE_ASSIGN_OR_FAIL(std::string text, ToJsonText(call.value, format, call.budget));
  return Value(std::move(text));
}

Result<Value> Safe(const FilterCall& call) {
  EDGEMOE_ASSIGN_OR_FAIL([[maybe_unused]] const Bound bound, call.Bind({}));
  if (call.value.is_safe()) return call.value;
  EDGEMOE_ASSIGN_OR_FAIL(std::string text, ToText(call.value, call.budget));
  return Value::MakeSafe(std::move(text));
}

Result<Value> Attribute(const FilterCall& call) {
  EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, call.Bind({"name"}));
  EDGEMOE_ASSIGN_OR_FAIL(const std::string name, bound.Text(0, ""));
  // A dictionary's keys are no attributes.
  if (call.value.dictionary() != nullptr && !HasMethod(call.value, name)) {
    return Value::MakeUndefined(name);
  }
  return GetAttribute(call.value, name, call.budget);
}

constexpr Filter kFilters[] = {
    {"attr", Attribute}, {"count", Length}, {"d", Default},   {"default", Default},
    {"length", Length},  {"safe", Safe},    {"string", Text}, {"tojson", ToJsonFilter},
};

}  // namespace

Result<Value> ApplyFilter(std::string_view name, const Value& value, const Arguments& arguments,
                          Budget& budget) {
  for (const std::span<const Filter> group : {std::span<const Filter>(kFilters), TextFilters(),
                                              NumberFilters(), SequenceFilters(), OrderFilters()}) {
    for (const Filter& filter : group) {
      if (filter.name == name) return filter.apply({name, value, arguments, budget});
    }
  }
  return Failure(
      InvalidArgumentError("no filter is called \"" + std::string(name.substr(0, 64)) + "\""));
}

Result<Value> MakeGenerator(std::vector<Value> items, Budget& budget) {
  return MakeList(std::move(items), budget, List::Kind::kGenerator);
}

Result<Value> Text(const FilterCall& call) {
  if (call.value.is_string()) return call.value;
  EDGEMOE_ASSIGN_OR_FAIL(std::string text, ToText(call.value, call.budget));
  return Value(std::move(text));
}

Result<Value> PartOf(const Value& item, const Value& attribute, const Value* absent,
                     Budget& budget) {
  EDGEMOE_FAIL_IF_ERROR(budget.Step());
  Value part = item;
  if (attribute.is_string()) {
    EDGEMOE_ASSIGN_OR_FAIL(part, GetPath(item, *attribute.string(), absent, budget));
  } else if (!attribute.is_undefined() && !attribute.is_none()) {
    EDGEMOE_ASSIGN_OR_FAIL(part, GetItem(item, attribute, budget));
    if (part.is_undefined() && absent != nullptr) part = *absent;
  }
  return part;
}

}  // namespace edgemoe::jinja
