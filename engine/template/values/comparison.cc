// SPDX-License-Identifier: Apache-2.0
#include "engine/template/values/comparison.h"

#include <algorithm>

namespace edgemoe::jinja {

namespace {

int CompareNumbers(const Value& a, const Value& b) {
  const auto order = [](auto x, auto y) { return x < y ? -1 : x > y ? 1 : 0; };
  const auto x = a.integer();
  const auto y = b.integer();
  return x && y ? order(*x, *y) : order(*a.number(), *b.number());
}

bool AreEqual(const Dictionary& a, const Dictionary& b) {
  if (a.entries.size() != b.entries.size()) return false;
  return std::all_of(a.entries.begin(), a.entries.end(), [&b](const auto& entry) {
    const Value* const other = b.Find(entry.first);
    return other != nullptr && AreEqual(entry.second, *other);
  });
}

// Views of keys and items have no order, but for that there is no use.
bool AreEqual(const List& a, const List& b) {
  if (a.kind == List::Kind::kGenerator) return false;
  if (a.kind != b.kind && !(a.is_tuple() && b.is_tuple())) return false;
  return std::equal(a.items.begin(), a.items.end(), b.items.begin(), b.items.end(),
                    [](const Value& x, const Value& y) { return AreEqual(x, y); });
}

// By the first elements that differ, else by length, as Python orders lists.
Result<int> CompareLists(const List& a, const List& b) {
  const auto [x, y] = std::mismatch(a.items.begin(), a.items.end(), b.items.begin(), b.items.end(),
                                    [](const Value& p, const Value& q) { return AreEqual(p, q); });
  if (x != a.items.end() && y != b.items.end()) return Compare(*x, *y);
  return x != a.items.end() ? 1 : y != b.items.end() ? -1 : 0;
}

}  // namespace

bool AreEqual(const Value& a, const Value& b) {
  if (a.number() && b.number()) return CompareNumbers(a, b) == 0;
  if (a.type() != b.type()) return false;
  switch (a.type()) {
    case Value::Type::kText: return *a.string() == *b.string();
    case Value::Type::kList: return a.list() == b.list() || AreEqual(*a.list(), *b.list());
    case Value::Type::kDictionary:
      return a.dictionary() == b.dictionary() || AreEqual(*a.dictionary(), *b.dictionary());
    case Value::Type::kNamespace: return a.fields() == b.fields();
    case Value::Type::kLoop: return a.loop() == b.loop();
    case Value::Type::kMacro:
      return a.macro()->statement == b.macro()->statement && a.macro()->scope == b.macro()->scope;
    case Value::Type::kFunction: return *a.function() == *b.function();
    case Value::Type::kMethod: return a.method() == b.method();
    default: return true;  // none and undefined
  }
}

Result<int> Compare(const Value& a, const Value& b) {
  if (a.is_string() && b.is_string()) {
    const int order = a.string()->compare(*b.string());
    return order < 0 ? -1 : order > 0 ? 1 : 0;
  }
  if (a.number() && b.number()) return CompareNumbers(a, b);
  if (a.list() != nullptr && b.list() != nullptr && !a.list()->is_view() &&
      (a.list()->kind == b.list()->kind || (a.list()->is_tuple() && b.list()->is_tuple()))) {
    return CompareLists(*a.list(), *b.list());
  }
  return Failure(InvalidArgumentError("cannot order " + a.Describe() + " and " + b.Describe()));
}

}  // namespace edgemoe::jinja
