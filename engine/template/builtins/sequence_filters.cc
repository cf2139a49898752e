// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "engine/template/builtins/filters.h"
#include "engine/template/operators.h"

namespace edgemoe::jinja {

namespace {

using Bound = BoundArguments;

Result<Value> List(const FilterCall& call) {
  EDGEMOE_ASSIGN_OR_FAIL([[maybe_unused]] const Bound bound, call.Bind({}));
  EDGEMOE_ASSIGN_OR_FAIL(const auto items, ItemsOf(call.value, call.budget));
  return ListOf(items, call.budget);
}

Result<Value> FirstOrLast(const FilterCall& call) {
  EDGEMOE_ASSIGN_OR_FAIL([[maybe_unused]] const Bound bound, call.Bind({}));
  EDGEMOE_ASSIGN_OR_FAIL(const auto items, ItemsOf(call.value, call.budget));
  if (items.empty()) return Value::MakeUndefined(std::string(call.name) + " of nothing");
  return call.name == "first" ? items.front() : items.back();
}

Result<Value> Reverse(const FilterCall& call) {
  EDGEMOE_ASSIGN_OR_FAIL([[maybe_unused]] const Bound bound, call.Bind({}));
  const Value all;
  if (call.value.is_string()) return GetSlice(call.value, all, all, Value(Json(-1)), call.budget);
  EDGEMOE_ASSIGN_OR_FAIL(auto items, ItemsOf(call.value, call.budget));
  std::reverse(items.begin(), items.end());
  return ListOf(items, call.budget);
}

Result<Value> Join(const FilterCall& call) {
  EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, call.Bind({"d", "attribute"}));
  EDGEMOE_ASSIGN_OR_FAIL(const std::string separator, bound.Text(0, ""));
  EDGEMOE_ASSIGN_OR_FAIL(const auto items, ItemsOf(call.value, call.budget));
  std::string text;
  for (std::size_t i = 0; i < items.size(); ++i) {
    EDGEMOE_ASSIGN_OR_FAIL(const Value key, KeyOf(items[i], bound, 1, call.budget));
    if (key.json() != nullptr) EDGEMOE_FAIL_IF_ERROR(call.budget.SpendFor(*key.json()));
    EDGEMOE_FAIL_IF_ERROR(call.budget.Spend(separator.size()));
    EDGEMOE_ASSIGN_OR_FAIL(const std::string part, ToText(key));
    if (i > 0) text += separator;
    text += part;
  }
  return Value(Json(std::move(text)));
}

Result<Value> Items(const FilterCall& call) {
  EDGEMOE_ASSIGN_OR_FAIL([[maybe_unused]] const Bound bound, call.Bind({}));
  Json pairs = Json::array();
  if (call.value.is_undefined()) return Value(std::move(pairs));
  if (call.value.json() == nullptr || !call.value.json()->is_object()) {
    return Failure(InvalidArgumentError("items: " + call.value.Describe() + " has no keys"));
  }
  EDGEMOE_FAIL_IF_ERROR(call.budget.SpendFor(*call.value.json()));
  for (auto it = call.value.json()->begin(); it != call.value.json()->end(); ++it) {
    Json pair = Json::array();
    pair.push_back(it.key());
    pair.push_back(*it);
    pairs.push_back(std::move(pair));
  }
  EDGEMOE_FAIL_IF_ERROR(call.budget.SpendFor(pairs));
  return Value(std::move(pairs));
}

Result<Value> Sum(const FilterCall& call) {
  EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, call.Bind({"attribute", "start"}));
  EDGEMOE_ASSIGN_OR_FAIL(const auto items, ItemsOf(call.value, call.budget));
  Value total = bound.Has(1) ? bound.Get(1) : Value(Json(0));
  for (const Value& item : items) {
    EDGEMOE_FAIL_IF_ERROR(call.budget.Step());
    EDGEMOE_ASSIGN_OR_FAIL(const Value key, KeyOf(item, bound, 0, call.budget));
    EDGEMOE_ASSIGN_OR_FAIL(total, ApplyBinary(Operator::kAdd, total, key, call.budget));
  }
  return total;
}

// How many rows or columns are wanted: the first argument.
Result<std::size_t> WantedCount(const FilterCall& call, const Bound& bound) {
  EDGEMOE_FAIL_IF_ERROR(bound.Require(0));
  EDGEMOE_ASSIGN_OR_FAIL(const std::int64_t count, bound.Integer(0, 1));
  if (count >= 1) return static_cast<std::size_t>(count);
  return Failure(InvalidArgumentError(std::string(call.name) + ": found " + std::to_string(count) +
                                      "; accepted: at least 1"));
}

// Rows of `linecount` items, the last filled up.
Result<Value> Batch(const FilterCall& call) {
  EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, call.Bind({"linecount", "fill_with"}));
  EDGEMOE_ASSIGN_OR_FAIL(const std::size_t width, WantedCount(call, bound));
  EDGEMOE_ASSIGN_OR_FAIL(const auto items, ItemsOf(call.value, call.budget));
  std::vector<Value> rows;
  for (std::size_t begin = 0; begin < items.size(); begin += std::min(width, items.size())) {
    const std::size_t count = std::min(width, items.size() - begin);
    const auto first = items.begin() + static_cast<std::ptrdiff_t>(begin);
    std::vector<Value> row(first, first + static_cast<std::ptrdiff_t>(count));
    while (!bound.Get(1).is_none() && bound.Has(1) && row.size() < width) {
      EDGEMOE_FAIL_IF_ERROR(call.budget.Step());
      EDGEMOE_FAIL_IF_ERROR(call.budget.Spend(sizeof(Value)));
      row.push_back(bound.Get(1));
    }
    EDGEMOE_ASSIGN_OR_FAIL(Value made, ListOf(row, call.budget));
    rows.push_back(std::move(made));
  }
  return ListOf(rows, call.budget);
}

// `slices` columns of nearly the same length, the shorter ones filled up.
Result<Value> Slice(const FilterCall& call) {
  EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, call.Bind({"slices", "fill_with"}));
  EDGEMOE_ASSIGN_OR_FAIL(const std::size_t slices, WantedCount(call, bound));
  EDGEMOE_ASSIGN_OR_FAIL(const auto items, ItemsOf(call.value, call.budget));
  std::vector<Value> columns;
  auto next = items.begin();
  for (std::size_t i = 0; i < slices; ++i) {
    EDGEMOE_FAIL_IF_ERROR(call.budget.Step());
    const bool longer = i < items.size() % slices;
    const auto end = next + static_cast<std::ptrdiff_t>(items.size() / slices + (longer ? 1 : 0));
    std::vector<Value> column(next, end);
    next = end;
    if (!longer && bound.Has(1) && !bound.Get(1).is_none()) column.push_back(bound.Get(1));
    EDGEMOE_ASSIGN_OR_FAIL(Value made, ListOf(column, call.budget));
    columns.push_back(std::move(made));
  }
  return ListOf(columns, call.budget);
}

// map, select and their kin find nothing in whatever is false: none and 0, too.
Result<std::vector<Value>> ItemsIfTrue(const FilterCall& call) {
  if (!IsTrue(call.value)) return std::vector<Value>();
  return ItemsOf(call.value, call.budget);
}

// map("filter", ...) and map(attribute="name", default=...)
Result<Value> Map(const FilterCall& call) {
  EDGEMOE_ASSIGN_OR_FAIL(const auto items, ItemsIfTrue(call));
  std::vector<Value> mapped;
  const bool by_attribute = call.arguments.positional.empty();
  const Arguments named{{}, call.arguments.named};
  if (by_attribute) {
    EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, Bound::Bind("map", named, {"attribute", "default"}));
    EDGEMOE_FAIL_IF_ERROR(bound.Require(0));
    for (const Value& item : items) {
      EDGEMOE_FAIL_IF_ERROR(call.budget.Step());
      EDGEMOE_ASSIGN_OR_FAIL(Value part, KeyOf(item, bound, 0, call.budget));
      mapped.push_back(part.is_undefined() && bound.Has(1) ? bound.Get(1) : std::move(part));
    }
    return ListOf(mapped, call.budget);
  }
  const std::string* filter = call.arguments.positional[0].string();
  if (filter == nullptr) return Failure(InvalidArgumentError("map: needs a filter's name"));
  const Arguments rest{{call.arguments.positional.begin() + 1, call.arguments.positional.end()},
                       call.arguments.named};
  // A filter that applies filters could name itself in its own arguments, and so nest without end.
  if (*filter == "map" || filter->starts_with("select") || filter->starts_with("reject")) {
    return Failure(InvalidArgumentError("map: \"" + *filter + "\" cannot be mapped"));
  }
  for (const Value& item : items) {
    EDGEMOE_FAIL_IF_ERROR(call.budget.Step());
    EDGEMOE_ASSIGN_OR_FAIL(Value result, ApplyFilter(*filter, item, rest, call.budget));
    mapped.push_back(std::move(result));
  }
  return ListOf(mapped, call.budget);
}

// select("test", ...), selectattr("name", "test", ...) and their opposites.
Result<Value> Select(const FilterCall& call) {
  const bool by_attribute = call.name.ends_with("attr");
  const bool wanted = call.name.starts_with("select");
  const auto& given = call.arguments.positional;
  std::size_t used = by_attribute ? 1 : 0;
  if (given.size() < used || !call.arguments.named.empty()) {
    return Failure(InvalidArgumentError(std::string(call.name) + ": needs an attribute's name"));
  }
  const std::string* test = given.size() > used ? given[used++].string() : nullptr;
  if (given.size() > (by_attribute ? 1U : 0U) && test == nullptr) {
    return Failure(InvalidArgumentError(std::string(call.name) + ": the test is not a name"));
  }
  const Arguments rest{{given.begin() + static_cast<std::ptrdiff_t>(used), given.end()}, {}};
  EDGEMOE_ASSIGN_OR_FAIL(const auto items, ItemsIfTrue(call));
  std::vector<Value> kept;
  for (const Value& item : items) {
    EDGEMOE_FAIL_IF_ERROR(call.budget.Step());
    Value subject = item;
    if (by_attribute && given[0].is_string()) {
      EDGEMOE_ASSIGN_OR_FAIL(subject, GetPath(item, *given[0].string(), call.budget));
    } else if (by_attribute) {
      EDGEMOE_ASSIGN_OR_FAIL(subject, GetItem(item, given[0], call.budget));
    }
    bool holds = IsTrue(subject);
    if (test != nullptr) {
      EDGEMOE_ASSIGN_OR_FAIL(holds, ApplyTest(*test, subject, rest, call.budget));
    }
    if (holds == wanted) kept.push_back(item);
  }
  return ListOf(kept, call.budget);
}

}  // namespace

std::span<const Filter> SequenceFilters() {
  static constexpr Filter kFilters[] = {
      {"batch", Batch},       {"first", FirstOrLast}, {"items", Items},   {"join", Join},
      {"last", FirstOrLast},  {"list", List},         {"map", Map},       {"reject", Select},
      {"rejectattr", Select}, {"reverse", Reverse},   {"select", Select}, {"selectattr", Select},
      {"slice", Slice},       {"sum", Sum},
  };
  return kFilters;
}

}  // namespace edgemoe::jinja
