// SPDX-License-Identifier: Apache-2.0
#include "engine/template/builtins/filters.h"

#include "engine/template/operators.h"

namespace edgemoe::jinja {

namespace {

using Bound = BoundArguments;

Result<Value> Default(const FilterCall& call) {
  EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, call.Bind({"default_value", "boolean"}));
  const bool keeps = bound.Flag(1, false) ? IsTrue(call.value) : !call.value.is_undefined();
  if (keeps) return call.value;
  return bound.Has(0) ? bound.Get(0) : Value(Json(std::string()));
}

Result<Value> Length(const FilterCall& call) {
  if (call.value.is_string()) EDGEMOE_FAIL_IF_ERROR(call.budget.Spend(call.value.string()->size()));
  EDGEMOE_ASSIGN_OR_FAIL(const std::size_t length, LengthOf(call.value));
  return Value(Json(length));
}

Result<Value> ToJsonFilter(const FilterCall& call) {
  EDGEMOE_ASSIGN_OR_FAIL(const Bound bound,
                         call.Bind({"ensure_ascii", "indent", "separators", "sort_keys"}));
  if (call.value.json() == nullptr) {
    return Failure(InvalidArgumentError("tojson: " + call.value.Describe() + " is not data"));
  }
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
  if (const Json* separators = bound.Get(2).json();
      separators != nullptr && !separators->is_null()) {
    if (!separators->is_array() || separators->size() != 2 || !(*separators)[0].is_string() ||
        !(*separators)[1].is_string()) {
      return Failure(InvalidArgumentError("tojson: separators are not two strings"));
    }
    format.item_separator = (*separators)[0].get<std::string>();
    format.key_separator = (*separators)[1].get<std::string>();
  }
  EDGEMOE_FAIL_IF_ERROR(call.budget.SpendFor(*call.value.json()));
  std::string text = ToJsonText(*call.value.json(), format);
  EDGEMOE_FAIL_IF_ERROR(call.budget.Spend(text.size()));
  return Value(Json(std::move(text)));
}

Result<Value> Attribute(const FilterCall& call) {
  EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, call.Bind({"name"}));
  EDGEMOE_ASSIGN_OR_FAIL(const std::string name, bound.Text(0, ""));
  // A dictionary's keys are no attributes.
  if (call.value.json() != nullptr) return Value::MakeUndefined(name);
  return GetAttribute(call.value, name, call.budget);
}

constexpr Filter kFilters[] = {
    {"attr", Attribute}, {"count", Length}, {"d", Default},   {"default", Default},
    {"length", Length},  {"safe", Text},    {"string", Text}, {"tojson", ToJsonFilter},
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

Result<Value> Text(const FilterCall& call) {
  if (call.value.is_string()) return call.value;
  if (call.value.json() != nullptr) EDGEMOE_FAIL_IF_ERROR(call.budget.SpendFor(*call.value.json()));
  EDGEMOE_ASSIGN_OR_FAIL(std::string text, ToText(call.value));
  return Value(Json(std::move(text)));
}

Result<Json> MakeList(const std::vector<Value>& items, Budget& budget) {
  Json list = Json::array();
  for (const Value& item : items) {
    if (item.json() != nullptr) EDGEMOE_FAIL_IF_ERROR(budget.SpendFor(*item.json()));
    EDGEMOE_ASSIGN_OR_FAIL(Json json, ToJson(item));
    list.push_back(std::move(json));
  }
  EDGEMOE_FAIL_IF_ERROR(budget.SpendFor(list));
  return list;
}

Result<Value> ListOf(const std::vector<Value>& items, Budget& budget) {
  EDGEMOE_ASSIGN_OR_FAIL(Json list, MakeList(items, budget));
  return Value(std::move(list));
}

Result<Value> KeyOf(const Value& item, const Bound& bound, std::size_t index, Budget& budget) {
  EDGEMOE_FAIL_IF_ERROR(budget.Step());
  const Value attribute = bound.Get(index);
  Value key = item;
  if (attribute.is_string()) {
    EDGEMOE_ASSIGN_OR_FAIL(key, GetPath(item, *attribute.string(), budget));
  } else if (!attribute.is_undefined() && !attribute.is_none()) {
    EDGEMOE_ASSIGN_OR_FAIL(key, GetItem(item, attribute, budget));
  }
  if (key.is_string()) EDGEMOE_FAIL_IF_ERROR(budget.Spend(key.string()->size()));
  return key;
}

}  // namespace edgemoe::jinja
