// SPDX-License-Identifier: Apache-2.0
//
// Methods that change a list or a dictionary, as Python has them.
#include "engine/template/builtins/changing_methods.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

#include "engine/template/values/comparison.h"

namespace edgemoe::jinja {

namespace {

using Bound = BoundArguments;

// Where `index` points in a list of `count`, from the end when it is negative; nullopt for outside.
std::optional<std::size_t> PlaceOf(std::int64_t index, std::size_t count) {
  const auto size = static_cast<std::int64_t>(count);
  if (index < -size || index >= size) return std::nullopt;
  return static_cast<std::size_t>(index < 0 ? index + size : index);
}

Result<Value> PopFromList(List& list, const Arguments& arguments, Budget& budget) {
  EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, Bound::Bind("pop", arguments, {"index"}));
  EDGEMOE_ASSIGN_OR_FAIL(const std::int64_t index, bound.Integer(0, -1));
  const std::optional<std::size_t> place = PlaceOf(index, list.items.size());
  if (!place) {
    return Failure(InvalidArgumentError("pop: no item " + std::to_string(index) + " in a list of " +
                                        std::to_string(list.items.size())));
  }
  std::vector<Value> items = list.items;
  Value taken = items[*place];
  items.erase(items.begin() + static_cast<std::ptrdiff_t>(*place));
  EDGEMOE_FAIL_IF_ERROR(ChangeList(list, std::move(items), budget));
  return taken;
}

Status InsertIntoList(List& list, const Arguments& arguments, Budget& budget) {
  EDGEMOE_ASSIGN_OR_RETURN(const Bound bound, Bound::Bind("insert", arguments, {"index", "item"}));
  EDGEMOE_RETURN_IF_ERROR(bound.Require(1));
  EDGEMOE_ASSIGN_OR_RETURN(const std::int64_t index, bound.Integer(0, 0));
  std::vector<Value> items = list.items;
  const auto size = static_cast<std::int64_t>(items.size());
  const std::int64_t from_start = index < 0 ? std::max(index, -size) + size : index;
  items.insert(items.begin() + std::min(from_start, size), bound.Get(1));
  return ChangeList(list, std::move(items), budget);
}

Status RemoveFromList(List& list, const Arguments& arguments, Budget& budget) {
  EDGEMOE_ASSIGN_OR_RETURN(const Bound bound, Bound::Bind("remove", arguments, {"item"}));
  EDGEMOE_RETURN_IF_ERROR(bound.Require(0));
  std::vector<Value> items = list.items;
  for (std::size_t i = 0; i < items.size(); ++i) {
    EDGEMOE_RETURN_IF_ERROR(budget.SpendForComparing(items[i]));
    if (!AreEqual(items[i], bound.Get(0))) continue;
    items.erase(items.begin() + static_cast<std::ptrdiff_t>(i));
    return ChangeList(list, std::move(items), budget);
  }
  return InvalidArgumentError("remove: the item is not in the list");
}

Status SortList(const Value& value, const Arguments& arguments, Budget& budget) {
  EDGEMOE_ASSIGN_OR_RETURN(const Bound bound, Bound::Bind("sort", arguments, {"reverse"}));
  Arguments given;
  given.named = {{"case_sensitive", Value(true)}, {"reverse", Value(bound.Flag(0, false))}};
  EDGEMOE_ASSIGN_OR_RETURN(const Value sorted, ApplyFilter("sort", value, given, budget));
  return ChangeList(*value.changeable_list(), sorted.list()->items, budget);
}

Result<Value> ChangeListBy(const Value& value, std::string_view name, const Arguments& arguments,
                           Budget& budget) {
  List& list = *value.changeable_list();
  const Value nothing(nullptr);
  if (name == "pop") return PopFromList(list, arguments, budget);
  if (name == "append" || name == "extend") {
    EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, Bound::Bind(name, arguments, {"item"}));
    EDGEMOE_FAIL_IF_ERROR(bound.Require(0));
    std::vector<Value> added = {bound.Get(0)};
    if (name == "extend") {
      EDGEMOE_ASSIGN_OR_FAIL(added, ItemsOf(bound.Get(0), budget));
    }
    for (Value& item : added) {
      EDGEMOE_FAIL_IF_ERROR(AppendToList(list, std::move(item), budget));
    }
    return nothing;
  }
  Status done;
  if (name == "insert") {
    done = InsertIntoList(list, arguments, budget);
  } else if (name == "remove") {
    done = RemoveFromList(list, arguments, budget);
  } else if (name == "sort") {
    done = SortList(value, arguments, budget);
  } else {
    EDGEMOE_ASSIGN_OR_FAIL([[maybe_unused]] const Bound bound, Bound::Bind(name, arguments, {}));
    std::vector<Value> items;
    if (name == "reverse") items.assign(list.items.rbegin(), list.items.rend());
    done = ChangeList(list, std::move(items), budget);
  }
  EDGEMOE_FAIL_IF_ERROR(std::move(done));
  return nothing;
}

// pop(key) and pop(key, default)
Result<Value> PopFromDictionary(Dictionary& dictionary, const Arguments& arguments,
                                Budget& budget) {
  EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, Bound::Bind("pop", arguments, {"key", "default"}));
  EDGEMOE_FAIL_IF_ERROR(bound.Require(0));
  const Value key = bound.Get(0);
  EDGEMOE_FAIL_IF_ERROR(budget.SpendForLookup(dictionary, key));
  const Value* const found = CanBeKey(key) ? dictionary.Find(key) : nullptr;
  if (found == nullptr) {
    if (bound.Has(1)) return bound.Get(1);
    return Failure(InvalidArgumentError("pop: the key is not in the dictionary"));
  }
  Value taken = *found;
  auto entries = dictionary.entries;
  const auto place = std::find_if(entries.begin(), entries.end(),
                                  [&key](const auto& entry) { return AreEqual(entry.first, key); });
  entries.erase(place);
  EDGEMOE_FAIL_IF_ERROR(ChangeDictionary(dictionary, std::move(entries), budget));
  return taken;
}

Result<Value> SetDefault(Dictionary& dictionary, const Arguments& arguments, Budget& budget) {
  EDGEMOE_ASSIGN_OR_FAIL(const Bound bound,
                         Bound::Bind("setdefault", arguments, {"key", "default"}));
  EDGEMOE_FAIL_IF_ERROR(bound.Require(0));
  const Value key = bound.Get(0);
  const Value given = bound.Has(1) ? bound.Get(1) : Value(nullptr);
  EDGEMOE_FAIL_IF_ERROR(budget.SpendForLookup(dictionary, key));
  if (const Value* found = CanBeKey(key) ? dictionary.Find(key) : nullptr) return *found;
  auto entries = dictionary.entries;
  entries.emplace_back(key, given);
  EDGEMOE_FAIL_IF_ERROR(ChangeDictionary(dictionary, std::move(entries), budget));
  return given;
}

Result<Value> ChangeDictionaryBy(const Value& value, std::string_view name,
                                 const Arguments& arguments, Budget& budget) {
  Dictionary& dictionary = *value.changeable_dictionary();
  if (name == "pop") return PopFromDictionary(dictionary, arguments, budget);
  if (name == "setdefault") return SetDefault(dictionary, arguments, budget);
  std::vector<std::pair<Value, Value>> entries;
  Value result(nullptr);
  if (name == "update") {
    if (arguments.positional.size() > 1) {
      return Failure(InvalidArgumentError("update: more than one argument without a name"));
    }
    EDGEMOE_ASSIGN_OR_FAIL(auto added, EntriesOf(name, arguments, budget));
    entries = dictionary.entries;
    entries.insert(entries.end(), std::make_move_iterator(added.begin()),
                   std::make_move_iterator(added.end()));
  } else {
    EDGEMOE_ASSIGN_OR_FAIL([[maybe_unused]] const Bound bound, Bound::Bind(name, arguments, {}));
    if (name == "popitem") {
      if (dictionary.entries.empty()) {
        return Failure(InvalidArgumentError("popitem: the dictionary is empty"));
      }
      entries = dictionary.entries;
      EDGEMOE_ASSIGN_OR_FAIL(result, MakeList({entries.back().first, entries.back().second}, budget,
                                              List::Kind::kTuple));
      entries.pop_back();
    }
  }
  EDGEMOE_FAIL_IF_ERROR(ChangeDictionary(dictionary, std::move(entries), budget));
  return result;
}

}  // namespace

bool IsChangingMethod(const Value& value, std::string_view name) {
  if (value.dictionary() != nullptr) {
    return name == "update" || name == "pop" || name == "setdefault" || name == "clear" ||
           name == "popitem";
  }
  return value.list() != nullptr && name != "index" && name != "count" && name != "copy";
}

Result<Value> CallChangingMethod(const Value& value, std::string_view name,
                                 const Arguments& arguments, Budget& budget) {
  if (value.dictionary() != nullptr) return ChangeDictionaryBy(value, name, arguments, budget);
  return ChangeListBy(value, name, arguments, budget);
}

}  // namespace edgemoe::jinja
