// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "engine/template/builtins/filters.h"
#include "engine/template/text/text.h"
#include "engine/template/values/comparison.h"

namespace edgemoe::jinja {

namespace {

using Bound = BoundArguments;

// An item, and what is compared in its place.
struct Keyed {
  Value key;
  Value item;
};

Result<Value> Folded(const Value& value, bool case_sensitive, Budget& budget) {
  if (case_sensitive || !value.is_string()) return value;
  EDGEMOE_FAIL_IF_ERROR(budget.SpendFor(value));
  return Value(ToLower(*value.string()));
}

// A list of what one attribute, or several with commas between, say: so that equal parts need no
// order.
Result<Value> SortKey(const Value& item, const Value& attribute, bool case_sensitive,
                      Budget& budget) {
  if (!attribute.is_string()) {
    EDGEMOE_ASSIGN_OR_FAIL(const Value part, PartOf(item, attribute, nullptr, budget));
    EDGEMOE_ASSIGN_OR_FAIL(Value folded, Folded(part, case_sensitive, budget));
    return MakeList({std::move(folded)}, budget);
  }
  const std::string& names = *attribute.string();
  std::vector<Value> parts;
  for (const std::string_view name : Split(names, ",", names.size(), /*from_right=*/false)) {
    EDGEMOE_ASSIGN_OR_FAIL(const Value part,
                           PartOf(item, Value(std::string(name)), nullptr, budget));
    EDGEMOE_ASSIGN_OR_FAIL(Value folded, Folded(part, case_sensitive, budget));
    parts.push_back(std::move(folded));
  }
  return MakeList(std::move(parts), budget);
}

// Stable. Lists may turn out in the middle not to have an order.
Status SortByKeys(std::vector<Keyed>& keyed, bool reverse, Budget& budget) {
  constexpr int kComparisons = 20;  // of each key: the logarithm of how many there can be
  for (std::size_t i = 0; i < keyed.size(); ++i) {
    EDGEMOE_RETURN_IF_ERROR(budget.Step());
    for (int j = 0; j < kComparisons; ++j) {
      EDGEMOE_RETURN_IF_ERROR(budget.SpendForComparing(keyed[i].key));
    }
    if (i == 0) continue;
    const Result<int> order = Compare(keyed.front().key, keyed[i].key);
    if (!order) return order.error();
  }
  Status unordered;
  std::stable_sort(keyed.begin(), keyed.end(), [&](const Keyed& a, const Keyed& b) {
    const Result<int> order = Compare(a.key, b.key);
    if (!order) unordered = order.error();
    return order && (reverse ? *order > 0 : *order < 0);
  });
  return unordered;
}

Result<Value> ItemsOfKeyed(std::vector<Keyed> keyed, Budget& budget) {
  std::vector<Value> items;
  items.reserve(keyed.size());
  for (Keyed& one : keyed) items.push_back(std::move(one.item));
  return MakeList(std::move(items), budget);
}

Result<Value> Sort(const FilterCall& call) {
  EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, call.Bind({"reverse", "case_sensitive", "attribute"}));
  EDGEMOE_ASSIGN_OR_FAIL(const auto items, ItemsOf(call.value, call.budget));
  std::vector<Keyed> keyed;
  for (const Value& item : items) {
    EDGEMOE_ASSIGN_OR_FAIL(Value key,
                           SortKey(item, bound.Get(2), bound.Flag(1, false), call.budget));
    keyed.push_back({std::move(key), item});
  }
  EDGEMOE_FAIL_IF_ERROR(SortByKeys(keyed, bound.Flag(0, false), call.budget));
  return ItemsOfKeyed(std::move(keyed), call.budget);
}

Result<Value> DictSort(const FilterCall& call) {
  EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, call.Bind({"case_sensitive", "by", "reverse"}));
  EDGEMOE_ASSIGN_OR_FAIL(const std::string by, bound.Text(1, "key"));
  if (by != "key" && by != "value") {
    return Failure(InvalidArgumentError("dictsort: by is not \"key\" or \"value\""));
  }
  if (call.value.dictionary() == nullptr) {
    return Failure(InvalidArgumentError("dictsort: " + call.value.Describe() + " has no keys"));
  }
  EDGEMOE_ASSIGN_OR_FAIL(const Value view, CallMethod(call.value, "items", {}, call.budget));
  std::vector<Keyed> keyed;
  for (const Value& pair : view.list()->items) {
    EDGEMOE_ASSIGN_OR_FAIL(Value key, Folded(pair.list()->items[by == "key" ? 0 : 1],
                                             bound.Flag(0, false), call.budget));
    keyed.push_back({std::move(key), pair});
  }
  EDGEMOE_FAIL_IF_ERROR(SortByKeys(keyed, bound.Flag(2, false), call.budget));
  return ItemsOfKeyed(std::move(keyed), call.budget);
}

// A list of tuples (grouper, list) in the order of the groupers. Unless case counts, a grouper is
// written as in its group's first item.
Result<Value> GroupBy(const FilterCall& call) {
  EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, call.Bind({"attribute", "default", "case_sensitive"}));
  EDGEMOE_FAIL_IF_ERROR(bound.Require(0));
  const Value absent = bound.Get(1);
  const Value* const absent_given = absent.is_undefined() || absent.is_none() ? nullptr : &absent;
  EDGEMOE_ASSIGN_OR_FAIL(const auto items, ItemsOf(call.value, call.budget));
  std::vector<Keyed> keyed;
  for (const Value& item : items) {
    EDGEMOE_ASSIGN_OR_FAIL(const Value key, PartOf(item, bound.Get(0), absent_given, call.budget));
    EDGEMOE_ASSIGN_OR_FAIL(Value folded, Folded(key, bound.Flag(2, false), call.budget));
    keyed.push_back({std::move(folded), item});
  }
  EDGEMOE_FAIL_IF_ERROR(SortByKeys(keyed, /*reverse=*/false, call.budget));
  std::vector<Value> groups;
  for (std::size_t begin = 0; begin < keyed.size();) {
    std::size_t end = begin;
    std::vector<Value> members;
    for (; end < keyed.size() && AreEqual(keyed[begin].key, keyed[end].key); ++end) {
      members.push_back(keyed[end].item);
    }
    EDGEMOE_ASSIGN_OR_FAIL(Value grouper,
                           PartOf(members.front(), bound.Get(0), absent_given, call.budget));
    EDGEMOE_ASSIGN_OR_FAIL(Value list, MakeList(std::move(members), call.budget));
    EDGEMOE_ASSIGN_OR_FAIL(Value group, MakeList({std::move(grouper), std::move(list)}, call.budget,
                                                 List::Kind::kGroup));
    groups.push_back(std::move(group));
    begin = end;
  }
  return MakeList(std::move(groups), call.budget);
}

Result<Value> MinOrMax(const FilterCall& call) {
  EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, call.Bind({"case_sensitive", "attribute"}));
  EDGEMOE_ASSIGN_OR_FAIL(const auto items, ItemsOf(call.value, call.budget));
  if (items.empty()) return Value::MakeUndefined(std::string(call.name) + " of nothing");
  Keyed best;
  for (std::size_t i = 0; i < items.size(); ++i) {
    EDGEMOE_ASSIGN_OR_FAIL(Value key, PartOf(items[i], bound.Get(1), nullptr, call.budget));
    EDGEMOE_ASSIGN_OR_FAIL(key, Folded(key, bound.Flag(0, false), call.budget));
    EDGEMOE_FAIL_IF_ERROR(call.budget.SpendForComparing(key));
    if (i > 0) {
      EDGEMOE_ASSIGN_OR_FAIL(const int order, Compare(key, best.key));
      if (call.name == "min" ? order >= 0 : order <= 0) continue;
    }
    best = {std::move(key), items[i]};
  }
  return best.item;
}

Result<Value> Unique(const FilterCall& call) {
  EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, call.Bind({"case_sensitive", "attribute"}));
  EDGEMOE_ASSIGN_OR_FAIL(const auto items, ItemsOf(call.value, call.budget));
  std::vector<Value> kept;
  std::vector<Value> keys;
  for (const Value& item : items) {
    EDGEMOE_ASSIGN_OR_FAIL(Value key, PartOf(item, bound.Get(1), nullptr, call.budget));
    EDGEMOE_ASSIGN_OR_FAIL(key, Folded(key, bound.Flag(0, false), call.budget));
    if (key.dictionary() != nullptr || (key.list() != nullptr && !key.list()->is_tuple())) {
      return Failure(InvalidArgumentError("unique: cannot look up " + key.Describe()));
    }
    bool seen = false;
    for (const Value& other : keys) {
      EDGEMOE_FAIL_IF_ERROR(call.budget.Step());
      EDGEMOE_FAIL_IF_ERROR(call.budget.SpendForComparing(other));
      seen = AreEqual(other, key);
      if (seen) break;
    }
    if (seen) continue;
    kept.push_back(item);
    keys.push_back(std::move(key));
  }
  return MakeGenerator(std::move(kept), call.budget);
}

}  // namespace

std::span<const Filter> OrderFilters() {
  static constexpr Filter kFilters[] = {
      {"dictsort", DictSort}, {"groupby", GroupBy}, {"max", MinOrMax},
      {"min", MinOrMax},      {"sort", Sort},       {"unique", Unique},
  };
  return kFilters;
}

}  // namespace edgemoe::jinja
