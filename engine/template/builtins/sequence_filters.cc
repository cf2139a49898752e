// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "engine/template/builtins/filters.h"
#include "engine/template/values/operators.h"
#include "engine/template/values/printing.h"

namespace edgemoe::jinja {

namespace {

using Bound = BoundArguments;

Result<Value> ToList(const FilterCall& call) {
  EDGEMOE_ASSIGN_OR_FAIL([[maybe_unused]] const Bound bound, call.Bind({}));
  EDGEMOE_ASSIGN_OR_FAIL(auto items, ItemsOf(call.value, call.budget));
  return MakeList(std::move(items), call.budget);
}

bool IsGenerator(const Value& value) {
  return value.list() != nullptr && value.list()->kind == List::Kind::kGenerator;
}

Result<Value> FirstOrLast(const FilterCall& call) {
  EDGEMOE_ASSIGN_OR_FAIL([[maybe_unused]] const Bound bound, call.Bind({}));
  if (IsGenerator(call.value)) {
    List& list = *call.value.changeable_list();
    if (call.name == "last") {
      return Failure(InvalidArgumentError("last: a generator has no last item: \"|list\" first"));
    }
    if (list.taken_count < list.items.size()) return list.items[list.taken_count++];
  }
  EDGEMOE_ASSIGN_OR_FAIL(const auto items, ItemsOf(call.value, call.budget));
  if (items.empty()) return Value::MakeUndefined(std::string(call.name) + " of nothing");
  if (call.name == "first") return items.front();
  return call.value.is_safe() ? Value::MakeSafe(*items.back().string()) : items.back();
}

Result<Value> Reverse(const FilterCall& call) {
  EDGEMOE_ASSIGN_OR_FAIL([[maybe_unused]] const Bound bound, call.Bind({}));
  const Value all;
  if (call.value.is_string()) return GetSlice(call.value, all, all, Value(-1), call.budget);
  const bool has_order = !call.value.is_undefined() && !IsGenerator(call.value);
  EDGEMOE_ASSIGN_OR_FAIL(auto items, ItemsOf(call.value, call.budget));
  std::reverse(items.begin(), items.end());
  return MakeList(std::move(items), call.budget,
                  has_order ? List::Kind::kGenerator : List::Kind::kList);
}

Result<Value> Join(const FilterCall& call) {
  EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, call.Bind({"d", "attribute"}));
  std::string separator;
  if (bound.Has(0)) {
    EDGEMOE_ASSIGN_OR_FAIL(separator, ToText(bound.Get(0), call.budget));
  }
  EDGEMOE_ASSIGN_OR_FAIL(const auto items, ItemsOf(call.value, call.budget));
  std::string text;
  for (std::size_t i = 0; i < items.size(); ++i) {
    EDGEMOE_ASSIGN_OR_FAIL(const Value part, PartOf(items[i], bound.Get(1), nullptr, call.budget));
    EDGEMOE_FAIL_IF_ERROR(call.budget.Spend(separator.size()));
    EDGEMOE_ASSIGN_OR_FAIL(const std::string written, ToText(part, call.budget));
    if (i > 0) text += separator;
    text += written;
  }
  return Value(std::move(text));
}

Result<Value> Items(const FilterCall& call) {
  EDGEMOE_ASSIGN_OR_FAIL([[maybe_unused]] const Bound bound, call.Bind({}));
  if (call.value.is_undefined()) return MakeGenerator({}, call.budget);
  if (call.value.dictionary() == nullptr) {
    return Failure(InvalidArgumentError("items: " + call.value.Describe() + " has no keys"));
  }
  EDGEMOE_ASSIGN_OR_FAIL(const Value view, CallMethod(call.value, "items", {}, call.budget));
  return MakeGenerator(view.list()->items, call.budget);
}

Result<Value> Sum(const FilterCall& call) {
  EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, call.Bind({"attribute", "start"}));
  EDGEMOE_ASSIGN_OR_FAIL(const auto items, ItemsOf(call.value, call.budget));
  Value total = bound.Has(1) ? bound.Get(1) : Value(0);
  for (const Value& item : items) {
    EDGEMOE_FAIL_IF_ERROR(call.budget.Step());
    EDGEMOE_ASSIGN_OR_FAIL(const Value key, PartOf(item, bound.Get(0), nullptr, call.budget));
    EDGEMOE_ASSIGN_OR_FAIL(total, ApplyBinary(Operator::kAdd, total, key, call.budget));
  }
  return total;
}

// Rows of `linecount` items, the last filled up. Without a positive count all items are in one row,
// as in Jinja, which puts an empty one before it for 0.
Result<Value> Batch(const FilterCall& call) {
  EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, call.Bind({"linecount", "fill_with"}));
  EDGEMOE_FAIL_IF_ERROR(bound.Require(0));
  EDGEMOE_ASSIGN_OR_FAIL(const std::int64_t width, bound.Integer(0, 0));
  EDGEMOE_ASSIGN_OR_FAIL(const auto items, ItemsOf(call.value, call.budget));
  std::vector<Value> rows;
  std::vector<Value> row;
  for (const Value& item : items) {
    if (static_cast<std::int64_t>(row.size()) == width) {
      EDGEMOE_ASSIGN_OR_FAIL(Value made, MakeList(std::exchange(row, {}), call.budget));
      rows.push_back(std::move(made));
    }
    row.push_back(item);
  }
  if (row.empty()) return MakeGenerator(std::move(rows), call.budget);
  const bool fills = bound.Has(1) && !bound.Get(1).is_none();
  while (fills && static_cast<std::int64_t>(row.size()) < width) {
    EDGEMOE_FAIL_IF_ERROR(call.budget.Step());
    EDGEMOE_FAIL_IF_ERROR(call.budget.Spend(sizeof(Value)));
    row.push_back(bound.Get(1));
  }
  EDGEMOE_ASSIGN_OR_FAIL(Value made, MakeList(std::move(row), call.budget));
  rows.push_back(std::move(made));
  return MakeGenerator(std::move(rows), call.budget);
}

// `slices` columns of nearly the same length, the shorter ones filled up; none for less than 0.
Result<Value> Slice(const FilterCall& call) {
  EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, call.Bind({"slices", "fill_with"}));
  EDGEMOE_FAIL_IF_ERROR(bound.Require(0));
  EDGEMOE_ASSIGN_OR_FAIL(const std::int64_t wanted, bound.Integer(0, 0));
  if (wanted == 0) return Failure(InvalidArgumentError("slice: found 0 slices"));
  const auto slices = static_cast<std::size_t>(std::max<std::int64_t>(wanted, 0));
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
    EDGEMOE_ASSIGN_OR_FAIL(Value made, MakeList(std::move(column), call.budget));
    columns.push_back(std::move(made));
  }
  return MakeGenerator(std::move(columns), call.budget);
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
    const Value absent = bound.Get(1);
    for (const Value& item : items) {
      EDGEMOE_ASSIGN_OR_FAIL(
          Value part, PartOf(item, bound.Get(0), bound.Has(1) ? &absent : nullptr, call.budget));
      mapped.push_back(std::move(part));
    }
    return MakeGenerator(std::move(mapped), call.budget);
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
  return MakeGenerator(std::move(mapped), call.budget);
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
    if (by_attribute) {
      EDGEMOE_ASSIGN_OR_FAIL(subject, PartOf(item, given[0], nullptr, call.budget));
    }
    bool holds = IsTrue(subject);
    if (test != nullptr) {
      EDGEMOE_ASSIGN_OR_FAIL(holds, ApplyTest(*test, subject, rest, call.budget));
    }
    if (holds == wanted) kept.push_back(item);
  }
  return MakeGenerator(std::move(kept), call.budget);
}

}  // namespace

std::span<const Filter> SequenceFilters() {
  static constexpr Filter kFilters[] = {
      {"batch", Batch},       {"first", FirstOrLast}, {"items", Items},   {"join", Join},
      {"last", FirstOrLast},  {"list", ToList},       {"map", Map},       {"reject", Select},
      {"rejectattr", Select}, {"reverse", Reverse},   {"select", Select}, {"selectattr", Select},
      {"slice", Slice},       {"sum", Sum},
  };
  return kFilters;
}

}  // namespace edgemoe::jinja
