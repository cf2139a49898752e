// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>

#include "engine/template/builtins/builtins.h"
#include "engine/template/operators.h"
#include "engine/template/text.h"
#include "engine/template/unicode.h"

namespace edgemoe::jinja {

namespace {

using Bound = BoundArguments;

Value TextValue(std::string_view text) { return Value(Json(std::string(text))); }

Result<Value> ListOfTexts(const std::vector<std::string_view>& parts, Budget& budget) {
  EDGEMOE_FAIL_IF_ERROR(budget.Spend(parts.size() * sizeof(Json)));
  Json list = Json::array();
  for (const std::string_view part : parts) list.push_back(std::string(part));
  return Value(std::move(list));
}

Result<Value> StripMethod(std::string_view name, const std::string& text,
                          const Arguments& arguments) {
  EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, Bound::Bind(name, arguments, {"characters"}));
  EDGEMOE_ASSIGN_OR_FAIL(const std::string characters, bound.Text(0, ""));
  const bool given = bound.Has(0) && !bound.Get(0).is_none();
  const Side side = name == "lstrip" ? Side::kLeft : name == "rstrip" ? Side::kRight : Side::kBoth;
  return TextValue(Strip(text, given ? &characters : nullptr, side));
}

// The argument is a text or a list of texts, one of which is enough.
Result<Value> AffixMethod(std::string_view name, const std::string& text,
                          const Arguments& arguments) {
  EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, Bound::Bind(name, arguments, {"affix"}));
  const auto matches = [&](const std::string& affix) {
    return name == "startswith" ? text.starts_with(affix) : text.ends_with(affix);
  };
  const Value affix = bound.Get(0);
  if (affix.is_string()) return Value(Json(matches(*affix.string())));
  if (affix.json() == nullptr || !affix.json()->is_array()) {
    return Failure(InvalidArgumentError(std::string(name) + ": the argument is " +
                                        affix.Describe() + ", not a string"));
  }
  return Value(Json(std::any_of(affix.json()->begin(), affix.json()->end(), [&](const Json& item) {
    return item.is_string() && matches(item.get_ref<const std::string&>());
  })));
}

Result<Value> SplitMethod(std::string_view name, const std::string& text,
                          const Arguments& arguments, Budget& budget) {
  EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, Bound::Bind(name, arguments, {"sep", "maxsplit"}));
  EDGEMOE_ASSIGN_OR_FAIL(const std::string separator, bound.Text(0, ""));
  EDGEMOE_ASSIGN_OR_FAIL(const std::int64_t given_max, bound.Integer(1, -1));
  const std::size_t count_max =
      given_max < 0 ? std::numeric_limits<std::size_t>::max() : static_cast<std::size_t>(given_max);
  const bool from_right = name == "rsplit";
  if (!bound.Has(0) || bound.Get(0).is_none()) {
    if (from_right && given_max >= 0) {
      return Failure(InvalidArgumentError("rsplit: needs a separator with maxsplit"));
    }
    return ListOfTexts(SplitAtSpaces(text, count_max), budget);
  }
  if (separator.empty()) return Failure(InvalidArgumentError("split: the separator is empty"));
  return ListOfTexts(Split(text, separator, count_max, from_right), budget);
}

Result<Value> ReplaceMethod(const std::string& text, const Arguments& arguments, Budget& budget) {
  EDGEMOE_ASSIGN_OR_FAIL(const Bound bound,
                         Bound::Bind("replace", arguments, {"old", "new", "count"}));
  EDGEMOE_ASSIGN_OR_FAIL(const std::string from, bound.Text(0, ""));
  EDGEMOE_ASSIGN_OR_FAIL(const std::string to, bound.Text(1, ""));
  EDGEMOE_ASSIGN_OR_FAIL(const std::int64_t count, bound.Integer(2, -1));
  const std::size_t count_max =
      count < 0 ? std::numeric_limits<std::size_t>::max() : static_cast<std::size_t>(count);
  EDGEMOE_FAIL_IF_ERROR(
      budget.Spend(std::min(CountOccurrences(text, from), count_max) * to.size()));
  return TextValue(Replace(text, from, to, count_max));
}

// Characters before the first or last occurrence; -1 for none.
Result<Value> FindMethod(std::string_view name, const std::string& text,
                         const Arguments& arguments) {
  EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, Bound::Bind(name, arguments, {"part"}));
  EDGEMOE_ASSIGN_OR_FAIL(const std::string part, bound.Text(0, ""));
  if (name == "count") return Value(Json(CountOccurrences(text, part)));
  const std::size_t found = name == "find" ? text.find(part) : text.rfind(part);
  if (found == std::string::npos) return Value(Json(-1));
  return Value(Json(CountCharacters(std::string_view(text).substr(0, found))));
}

Result<Value> RemoveAffixMethod(std::string_view name, const std::string& text,
                                const Arguments& arguments) {
  EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, Bound::Bind(name, arguments, {"affix"}));
  EDGEMOE_ASSIGN_OR_FAIL(const std::string affix, bound.Text(0, ""));
  std::string_view rest = text;
  if (name == "removeprefix") {
    if (rest.starts_with(affix)) rest.remove_prefix(affix.size());
  } else if (rest.ends_with(affix)) {
    rest.remove_suffix(affix.size());
  }
  return TextValue(rest);
}

// Methods without arguments.
Result<Value> PlainTextMethod(std::string_view name, const std::string& text, Budget& budget) {
  if (name == "upper") return TextValue(ToUpper(text));
  if (name == "lower") return TextValue(ToLower(text));
  if (name == "capitalize") return TextValue(Capitalize(text));
  if (name == "title") return TextValue(ToTitle(text));
  if (name == "splitlines") return ListOfTexts(SplitLines(text, false), budget);
  if (name == "swapcase") return TextValue(SwapCase(text));
  if (name == "isdigit") return Value(Json(AllCharacters(text, IsDigit)));
  if (name == "isalpha") return Value(Json(AllCharacters(text, IsAlphabetic)));
  if (name == "isalnum") return Value(Json(AllCharacters(text, IsAlphanumeric)));
  if (name == "isnumeric") return Value(Json(AllCharacters(text, IsNumeric)));
  if (name == "isspace") return Value(Json(AllCharacters(text, IsSpaceCharacter)));
  if (name == "isupper") return Value(Json(IsUpperText(text)));
  if (name == "islower") return Value(Json(IsLowerText(text)));
  return Failure(
      InvalidArgumentError("a string has no method \"" + std::string(name.substr(0, 64)) + "\""));
}

Result<Value> CallTextMethod(const std::string& text, std::string_view name,
                             const Arguments& arguments, Budget& budget) {
  EDGEMOE_FAIL_IF_ERROR(budget.Spend(text.size()));
  if (name == "strip" || name == "lstrip" || name == "rstrip") {
    return StripMethod(name, text, arguments);
  }
  if (name == "startswith" || name == "endswith") return AffixMethod(name, text, arguments);
  if (name == "split" || name == "rsplit") return SplitMethod(name, text, arguments, budget);
  if (name == "replace") return ReplaceMethod(text, arguments, budget);
  if (name == "find" || name == "rfind" || name == "count") {
    return FindMethod(name, text, arguments);
  }
  if (name == "removeprefix" || name == "removesuffix") {
    return RemoveAffixMethod(name, text, arguments);
  }
  if (name == "join") {
    EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, Bound::Bind(name, arguments, {"items"}));
    return ApplyFilter("join", bound.Get(0), {{TextValue(text)}, {}}, budget);
  }
  EDGEMOE_ASSIGN_OR_FAIL([[maybe_unused]] const Bound bound, Bound::Bind(name, arguments, {}));
  return PlainTextMethod(name, text, budget);
}

Result<Value> CallDictionaryMethod(const Value& value, std::string_view name,
                                   const Arguments& arguments, Budget& budget) {
  if (name == "get") {
    EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, Bound::Bind(name, arguments, {"key", "default"}));
    EDGEMOE_ASSIGN_OR_FAIL(const Value found, GetItem(value, bound.Get(0), budget));
    if (!found.is_undefined()) return found;
    return bound.Has(1) ? bound.Get(1) : Value(Json(nullptr));
  }
  EDGEMOE_ASSIGN_OR_FAIL([[maybe_unused]] const Bound bound, Bound::Bind(name, arguments, {}));
  if (name == "items") return ApplyFilter("items", value, {}, budget);
  if (name == "keys") return ApplyFilter("list", value, {}, budget);
  if (name == "values") {
    EDGEMOE_FAIL_IF_ERROR(budget.SpendFor(*value.json()));
    Json list = Json::array();
    for (const Json& item : *value.json()) list.push_back(item);
    return Value(std::move(list));
  }
  return Failure(InvalidArgumentError("a dictionary has no method \"" +
                                      std::string(name.substr(0, 64)) + "\""));
}

}  // namespace

Result<Value> CallMethod(const Value& value, std::string_view name, const Arguments& arguments,
                         Budget& budget) {
  if (const std::string* text = value.string()) {
    return CallTextMethod(*text, name, arguments, budget);
  }
  if (value.json() != nullptr && value.json()->is_object()) {
    return CallDictionaryMethod(value, name, arguments, budget);
  }
  if (value.loop() != nullptr && name == "cycle" && !arguments.positional.empty()) {
    return arguments.positional[value.loop()->index % arguments.positional.size()];
  }
  if (value.loop() != nullptr && name == "changed") {
    const LoopState& loop = *value.loop();
    const auto& given = arguments.positional;
    for (const Value& item : given) {
      if (item.json() != nullptr) EDGEMOE_FAIL_IF_ERROR(budget.SpendFor(*item.json()));
    }
    const bool same =
        loop.asked_changed &&
        std::equal(given.begin(), given.end(), loop.changed.begin(), loop.changed.end(),
                   [](const Value& a, const Value& b) { return AreEqual(a, b); });
    loop.changed = given;
    loop.asked_changed = true;
    return Value(Json(!same));
  }
  return Failure(InvalidArgumentError(value.Describe() + " has no method \"" +
                                      std::string(name.substr(0, 64)) + "\""));
}

}  // namespace edgemoe::jinja
