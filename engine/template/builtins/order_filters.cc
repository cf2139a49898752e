// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "engine/template/builtins/filters.h"
#include "engine/template/operators.h"
#include "engine/template/text.h"

namespace edgemoe::jinja {

namespace {

using Bound = BoundArguments;

Value Folded(const Value& value, bool case_sensitive) {
  if (case_sensitive || !value.is_string()) return value;
  return Value(Json(ToLower(*value.string())));
}

// Stable. Lists may turn out in the middle not to have an order.
Result<std::vector<Value>> SortByKeys(std::vector<std::pair<Value, Value>> keyed, bool reverse,
                                      Budget& budget) {
  for (const auto& [key, item] : keyed) {
    EDGEMOE_FAIL_IF_ERROR(budget.Step());
    if (key.is_string()) {
      EDGEMOE_FAIL_IF_ERROR(budget.Spend(key.string()->size() * 20));
    } else if (key.json() != nullptr) {
      EDGEMOE_FAIL_IF_ERROR(budget.SpendFor(*key.json()));
    }
    EDGEMOE_ASSIGN_OR_FAIL([[maybe_unused]] const int order, Compare(keyed.front().first, key));
  }
  Status unordered;
  std::stable_sort(keyed.begin(), keyed.end(), [&](const auto& a, const auto& b) {
    const Result<int> order = Compare(a.first, b.first);
    if (!order) unordered = order.error();
    return order && (reverse ? *order > 0 : *order < 0);
  });
  EDGEMOE_FAIL_IF_ERROR(unordered);
  std::vector<Value> sorted;
  sorted.reserve(keyed.size());
  for (auto& [key, item] : keyed) sorted.push_back(std::move(item));
  return sorted;
}

Result<Value> Sort(const FilterCall& call) {
  EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, call.Bind({"reverse", "case_sensitive", "attribute"}));
  EDGEMOE_ASSIGN_OR_FAIL(const auto items, ItemsOf(call.value, call.budget));
  std::vector<std::pair<Value, Value>> keyed;
  for (const Value& item : items) {
    EDGEMOE_ASSIGN_OR_FAIL(const Value key, KeyOf(item, bound, 2, call.budget));
    keyed.emplace_back(Folded(key, bound.Flag(1, false)), item);
  }
  EDGEMOE_ASSIGN_OR_FAIL(const auto sorted,
                         SortByKeys(std::move(keyed), bound.Flag(0, false), call.budget));
  return ListOf(sorted, call.budget);
}

Result<Value> DictSort(const FilterCall& call) {
  EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, call.Bind({"case_sensitive", "by", "reverse"}));
  EDGEMOE_ASSIGN_OR_FAIL(const std::string by, bound.Text(1, "key"));
  if (by != "key" && by != "value") {
    return Failure(InvalidArgumentError("dictsort: by is not \"key\" or \"value\""));
  }
  EDGEMOE_ASSIGN_OR_FAIL(const Value pairs, ApplyFilter("items", call.value, {}, call.budget));
  EDGEMOE_ASSIGN_OR_FAIL(const auto items, ItemsOf(pairs, call.budget));
  std::vector<std::pair<Value, Value>> keyed;
  for (const Value& item : items) {
    EDGEMOE_ASSIGN_OR_FAIL(const Value key,
                           GetItem(item, Value(Json(by == "key" ? 0 : 1)), call.budget));
    keyed.emplace_back(Folded(key, bound.Flag(0, false)), item);
  }
  EDGEMOE_ASSIGN_OR_FAIL(const auto sorted,
                         SortByKeys(std::move(keyed), bound.Flag(2, false), call.budget));
  return ListOf(sorted, call.budget);
}

Result<Value> MinOrMax(const FilterCall& call) {
  EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, call.Bind({"case_sensitive", "attribute"}));
  EDGEMOE_ASSIGN_OR_FAIL(const auto items, ItemsOf(call.value, call.budget));
  if (items.empty()) return Value::MakeUndefined(std::string(call.name) + " of nothing");
  Value best = items.front();
  EDGEMOE_ASSIGN_OR_FAIL(Value best_key, KeyOf(best, bound, 1, call.budget));
  best_key = Folded(best_key, bound.Flag(0, false));
  for (const Value& item : items) {
    EDGEMOE_ASSIGN_OR_FAIL(Value key, KeyOf(item, bound, 1, call.budget));
    key = Folded(key, bound.Flag(0, false));
    EDGEMOE_ASSIGN_OR_FAIL(const int order, Compare(key, best_key));
    if (call.name == "min" ? order < 0 : order > 0) {
      best = item;
      best_key = key;
    }
  }
  return best;
}

Result<Value> Unique(const FilterCall& call) {
  EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, call.Bind({"case_sensitive", "attribute"}));
  EDGEMOE_ASSIGN_OR_FAIL(const auto items, ItemsOf(call.value, call.budget));
  std::vector<Value> kept;
  std::vector<Value> keys;
  for (const Value& item : items) {
    EDGEMOE_ASSIGN_OR_FAIL(Value key, KeyOf(item, bound, 1, call.budget));
    key = Folded(key, bound.Flag(0, false));
    if (key.json() != nullptr && key.json()->is_structured()) {
      return Failure(InvalidArgumentError("unique: cannot look up " + key.Describe()));
    }
    bool seen = false;
    for (const Value& other : keys) {
      EDGEMOE_FAIL_IF_ERROR(call.budget.Step());
      if (other.json() != nullptr) EDGEMOE_FAIL_IF_ERROR(call.budget.SpendFor(*other.json()));
      seen = AreEqual(other, key);
      if (seen) break;
    }
    if (seen) continue;
    kept.push_back(item);
    keys.push_back(std::move(key));
  }
  return ListOf(kept, call.budget);
}

}  // namespace

std::span<const Filter> OrderFilters() {
  static constexpr Filter kFilters[] = {
      {"dictsort", DictSort}, {"max", MinOrMax},  {"min", MinOrMax},
      {"sort", Sort},         {"unique", Unique},
  };
  return kFilters;
}

}  // namespace edgemoe::jinja
