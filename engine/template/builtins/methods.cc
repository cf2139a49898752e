// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>

#include "engine/template/builtins/builtins.h"
#include "engine/template/builtins/changing_methods.h"
#include "engine/template/text/text.h"
#include "engine/template/text/unicode.h"
#include "engine/template/values/brace_format.h"
#include "engine/template/values/comparison.h"
#include "engine/template/values/method_names.h"
#include "engine/template/values/operators.h"

namespace edgemoe::jinja {

namespace {

using Bound = BoundArguments;

Value TextValue(std::string_view text) { return Value(std::string(text)); }

Result<Value> ListOfTexts(const std::vector<std::string_view>& parts, Budget& budget,
                          List::Kind kind = List::Kind::kList) {
  std::vector<Value> items;
  for (const std::string_view part : parts) {
    EDGEMOE_FAIL_IF_ERROR(budget.Spend(sizeof(Value) + part.size()));
    items.push_back(TextValue(part));
  }
  return MakeList(std::move(items), budget, kind);
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
                          const Arguments& arguments, Budget& budget) {
  EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, Bound::Bind(name, arguments, {"affix"}));
  const auto matches = [&](const std::string& affix) {
    return name == "startswith" ? text.starts_with(affix) : text.ends_with(affix);
  };
  const Value affix = bound.Get(0);
  if (affix.is_string()) return Value(matches(*affix.string()));
  if (affix.list() == nullptr || !affix.list()->is_tuple()) {
    return Failure(InvalidArgumentError(std::string(name) + ": the argument is " +
                                        affix.Describe() + ", not a string or a tuple"));
  }
  EDGEMOE_FAIL_IF_ERROR(budget.SpendFor(affix));
  const auto& items = affix.list()->items;
  return Value(std::any_of(items.begin(), items.end(), [&](const Value& item) {
    return item.is_string() && matches(*item.string());
  }));
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

// The bytes of `text` between two characters, as Python's slices count them, and the first one.
struct Window {
  std::string_view text;
  std::size_t first = 0;  // characters
};
Result<Window> WindowOf(const std::string& text, const Bound& bound, Budget& budget) {
  if (!bound.Has(1) && !bound.Has(2)) return Window{text};
  EDGEMOE_FAIL_IF_ERROR(budget.Spend(text.size() * sizeof(std::size_t)));
  const std::vector<std::size_t> offsets = CharacterOffsets(text);
  const auto count = static_cast<std::int64_t>(offsets.size()) - 1;
  EDGEMOE_ASSIGN_OR_FAIL(std::int64_t begin, bound.Integer(1, 0));
  EDGEMOE_ASSIGN_OR_FAIL(std::int64_t end, bound.Integer(2, count));
  if (begin < 0) begin = std::max<std::int64_t>(begin + count, 0);
  if (end < 0) end = std::max<std::int64_t>(end + count, 0);
  end = std::min(end, count);
  if (begin > end) return Failure(InvalidArgumentError("the start is behind the end"));
  const auto first = static_cast<std::size_t>(begin);
  const std::size_t offset = offsets[first];
  return Window{
      std::string_view(text).substr(offset, offsets[static_cast<std::size_t>(end)] - offset),
      first};
}

// Characters before the first or last occurrence; -1 for none, which index() and rindex() refuse.
Result<Value> FindMethod(std::string_view name, const std::string& text, const Arguments& arguments,
                         Budget& budget) {
  EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, Bound::Bind(name, arguments, {"part", "start", "end"}));
  EDGEMOE_FAIL_IF_ERROR(bound.Require(0));
  EDGEMOE_ASSIGN_OR_FAIL(const std::string part, bound.Text(0, ""));
  EDGEMOE_ASSIGN_OR_FAIL(const Window window, WindowOf(text, bound, budget));
  if (name == "count") return Value(CountOccurrences(window.text, part));
  const bool from_left = name == "find" || name == "index";
  const std::size_t found =
      from_left ? FindPart(window.text, part) : FindLastPart(window.text, part);
  if (found != std::string::npos) {
    return Value(window.first + CountCharacters(window.text.substr(0, found)));
  }
  if (name == "find" || name == "rfind") return Value(-1);
  return Failure(InvalidArgumentError(std::string(name) + ": the part is not in the text"));
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

// (what is before the separator, the separator, what is behind)
Result<Value> PartitionMethod(std::string_view name, const std::string& text,
                              const Arguments& arguments, Budget& budget) {
  EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, Bound::Bind(name, arguments, {"sep"}));
  EDGEMOE_ASSIGN_OR_FAIL(const std::string separator, bound.Text(0, ""));
  if (separator.empty()) {
    return Failure(InvalidArgumentError(std::string(name) + ": the separator is empty"));
  }
  const bool from_right = name == "rpartition";
  std::vector<std::string_view> parts = Split(text, separator, 1, from_right);
  if (parts.size() == 2) {
    parts.insert(parts.begin() + 1, separator);
  } else if (from_right) {
    parts = {"", "", text};
  } else {
    parts = {text, "", ""};
  }
  return ListOfTexts(parts, budget, List::Kind::kTuple);
}

// Up to `width` characters.
Result<Value> WidenMethod(std::string_view name, const std::string& text,
                          const Arguments& arguments, Budget& budget) {
  EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, Bound::Bind(name, arguments, {"width", "fill"}));
  EDGEMOE_FAIL_IF_ERROR(bound.Require(0));
  EDGEMOE_ASSIGN_OR_FAIL(const std::int64_t width, bound.Integer(0, 0));
  EDGEMOE_ASSIGN_OR_FAIL(const std::string fill, bound.Text(1, name == "zfill" ? "0" : " "));
  if (CountCharacters(fill) != 1 || (name == "zfill" && bound.Has(1))) {
    return Failure(InvalidArgumentError(std::string(name) + ": the fill is not one character"));
  }
  const auto wanted = static_cast<std::size_t>(std::max<std::int64_t>(width, 0));
  EDGEMOE_FAIL_IF_ERROR(budget.Spend(wanted));
  EDGEMOE_FAIL_IF_ERROR(budget.Spend(wanted * (fill.size() - 1)));
  const bool has_sign = name == "zfill" && (text.starts_with('-') || text.starts_with('+'));
  const Side side = name == "center" ? Side::kBoth : name == "ljust" ? Side::kRight : Side::kLeft;
  const std::string_view rest = std::string_view(text).substr(has_sign ? 1 : 0);
  return Value((has_sign ? text.substr(0, 1) : "") +
               Widen(rest, wanted - std::min<std::size_t>(wanted, has_sign ? 1 : 0), fill, side));
}

// Methods without arguments.
Result<Value> PlainTextMethod(std::string_view name, const std::string& text) {
  if (name == "upper") return TextValue(ToUpper(text));
  if (name == "lower") return TextValue(ToLower(text));
  if (name == "capitalize") return TextValue(Capitalize(text));
  if (name == "title") return TextValue(ToTitle(text));
  if (name == "swapcase") return TextValue(SwapCase(text));
  if (name == "isdigit") return Value(AllCharacters(text, IsDigit));
  if (name == "isalpha") return Value(AllCharacters(text, IsAlphabetic));
  if (name == "isalnum") return Value(AllCharacters(text, IsAlphanumeric));
  if (name == "isnumeric") return Value(AllCharacters(text, IsNumeric));
  if (name == "isspace") return Value(AllCharacters(text, IsSpaceCharacter));
  if (name == "isupper") return Value(IsUpperText(text));
  if (name == "islower") return Value(IsLowerText(text));
  if (name == "isascii") {
    return Value(std::all_of(text.begin(), text.end(),
                             [](char c) { return static_cast<unsigned char>(c) < 0x80; }));
  }
  return Failure(
      InvalidArgumentError("a text's method \"" + std::string(name) + "\" is not supported"));
}

Result<Value> CallTextMethod(const Value& value, std::string_view name, const Arguments& arguments,
                             Budget& budget) {
  const std::string& text = *value.string();
  EDGEMOE_FAIL_IF_ERROR(budget.Spend(text.size()));
  if (name == "format") {
    return FormatBraces(value, arguments.positional, arguments.named, budget);
  }
  if (name == "strip" || name == "lstrip" || name == "rstrip") {
    return StripMethod(name, text, arguments);
  }
  if (name == "startswith" || name == "endswith") return AffixMethod(name, text, arguments, budget);
  if (name == "split" || name == "rsplit") return SplitMethod(name, text, arguments, budget);
  if (name == "replace") return ReplaceMethod(text, arguments, budget);
  if (name == "find" || name == "rfind" || name == "index" || name == "rindex" || name == "count") {
    return FindMethod(name, text, arguments, budget);
  }
  if (name == "splitlines") {
    EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, Bound::Bind(name, arguments, {"keepends"}));
    return ListOfTexts(SplitLines(text, bound.Flag(0, false)), budget);
  }
  if (name == "removeprefix" || name == "removesuffix") {
    return RemoveAffixMethod(name, text, arguments);
  }
  if (name == "partition" || name == "rpartition") {
    return PartitionMethod(name, text, arguments, budget);
  }
  if (name == "center" || name == "ljust" || name == "rjust" || name == "zfill") {
    return WidenMethod(name, text, arguments, budget);
  }
  if (name == "join") {
    EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, Bound::Bind(name, arguments, {"items"}));
    return ApplyFilter("join", bound.Get(0), {{TextValue(text)}, {}}, budget);
  }
  EDGEMOE_ASSIGN_OR_FAIL([[maybe_unused]] const Bound bound, Bound::Bind(name, arguments, {}));
  return PlainTextMethod(name, text);
}

// Methods of a safe text give safe texts, and escape what they put in: replace() what is new,
// join() its items, and those that fill up what they fill with.
Result<Value> CallSafeTextMethod(const Value& value, std::string_view name,
                                 const Arguments& arguments, Budget& budget) {
  if (name == "format") return CallTextMethod(value, name, arguments, budget);
  EDGEMOE_FAIL_IF_ERROR(budget.Spend(value.string()->size()));
  const Value plain(*value.string());
  Arguments given = arguments;
  std::vector<Value>& positional = given.positional;
  const auto escape = [&budget](Value& argument) -> Status {
    if (!argument.is_string() || argument.is_safe()) return OkStatus();
    EDGEMOE_RETURN_IF_ERROR(budget.Spend(argument.string()->size() * kEscapedMax));
    argument = Value(EscapeHtml(*argument.string()));
    return OkStatus();
  };
  if (name == "join" && positional.size() == 1) {
    EDGEMOE_ASSIGN_OR_FAIL(auto items, ItemsOf(positional[0], budget));
    for (Value& item : items) EDGEMOE_FAIL_IF_ERROR(escape(item));
    EDGEMOE_ASSIGN_OR_FAIL(positional[0], MakeList(std::move(items), budget));
  }
  const bool puts_in = name == "replace" || name == "center" || name == "ljust" || name == "rjust";
  if (puts_in && positional.size() > 1) EDGEMOE_FAIL_IF_ERROR(escape(positional[1]));
  EDGEMOE_ASSIGN_OR_FAIL(Value result, CallTextMethod(plain, name, given, budget));
  if (result.is_string()) return Value::MakeSafe(*result.string());
  if (result.list() == nullptr) return result;
  std::vector<Value> parts;
  for (const Value& part : result.list()->items) parts.push_back(Value::MakeSafe(*part.string()));
  return MakeList(std::move(parts), budget, result.list()->kind);
}

Result<Value> CallDictionaryMethod(const Value& value, std::string_view name,
                                   const Arguments& arguments, Budget& budget) {
  const Dictionary& dictionary = *value.dictionary();
  if (name == "get") {
    EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, Bound::Bind(name, arguments, {"key", "default"}));
    EDGEMOE_FAIL_IF_ERROR(bound.Require(0));
    if (!CanBeKey(bound.Get(0))) {
      return Failure(InvalidArgumentError("get: " + bound.Get(0).Describe() + " is no key"));
    }
    EDGEMOE_FAIL_IF_ERROR(budget.SpendForLookup(dictionary, bound.Get(0)));
    if (const Value* found = dictionary.Find(bound.Get(0))) return *found;
    return bound.Has(1) ? bound.Get(1) : Value(nullptr);
  }
  EDGEMOE_ASSIGN_OR_FAIL([[maybe_unused]] const Bound bound, Bound::Bind(name, arguments, {}));
  if (name == "copy") return MakeDictionary(dictionary.entries, budget);
  if (name != "items" && name != "keys" && name != "values") {
    return Failure(InvalidArgumentError("a dictionary's method \"" + std::string(name) +
                                        "\" is not supported"));
  }
  std::vector<Value> items;
  for (const auto& [key, held] : dictionary.entries) {
    EDGEMOE_FAIL_IF_ERROR(budget.Spend(sizeof(Value)));
    if (name == "items") {
      EDGEMOE_ASSIGN_OR_FAIL(Value pair, MakeList({key, held}, budget, List::Kind::kTuple));
      items.push_back(std::move(pair));
    } else {
      items.push_back(name == "keys" ? key : held);
    }
  }
  return MakeList(std::move(items), budget,
                  name == "items"  ? List::Kind::kItems
                  : name == "keys" ? List::Kind::kKeys
                                   : List::Kind::kValues);
}

// Where the item is first, and how often it is there.
Result<Value> CallListMethod(const List& list, std::string_view name, const Arguments& arguments,
                             Budget& budget) {
  if (name == "copy") {
    EDGEMOE_ASSIGN_OR_FAIL([[maybe_unused]] const Bound none, Bound::Bind(name, arguments, {}));
    return MakeList(list.items, budget);
  }
  EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, Bound::Bind(name, arguments, {"item"}));
  EDGEMOE_FAIL_IF_ERROR(bound.Require(0));
  const Value item = bound.Get(0);
  std::int64_t count = 0;
  for (std::size_t i = 0; i < list.items.size(); ++i) {
    EDGEMOE_FAIL_IF_ERROR(budget.Step());
    EDGEMOE_FAIL_IF_ERROR(budget.SpendForComparing(list.items[i]));
    if (!AreEqual(list.items[i], item)) continue;
    if (name == "index") return Value(i);
    ++count;
  }
  if (name == "count") return Value(count);
  return Failure(InvalidArgumentError("index: the item is not in the list"));
}

Result<Value> CallLoopMethod(LoopState& loop, std::string_view name, const Arguments& arguments,
                             Budget& budget) {
  const auto& given = arguments.positional;
  if (name == "cycle") {
    if (!given.empty()) return given[loop.index % given.size()];
    return Failure(InvalidArgumentError("loop.cycle: needs what to choose from"));
  }
  for (const Value& item : given) EDGEMOE_FAIL_IF_ERROR(budget.SpendForComparing(item));
  const bool same =
      loop.changed &&
      std::equal(given.begin(), given.end(), loop.changed->begin(), loop.changed->end(),
                 [](const Value& a, const Value& b) { return AreEqual(a, b); });
  if (!loop.is_over) loop.changed = given;
  return Value(!same);
}

}  // namespace

Result<Value> CallMethod(const Value& value, std::string_view name, const Arguments& arguments,
                         Budget& budget) {
  if (!HasMethod(value, name)) {
    return Failure(InvalidArgumentError(value.Describe() + " has no method \"" +
                                        std::string(name.substr(0, 64)) + "\""));
  }
  if (value.is_safe()) return CallSafeTextMethod(value, name, arguments, budget);
  if (value.is_string()) return CallTextMethod(value, name, arguments, budget);
  if (value.loop() != nullptr) return CallLoopMethod(*value.loop(), name, arguments, budget);
  if (IsChangingMethod(value, name)) return CallChangingMethod(value, name, arguments, budget);
  if (value.dictionary() != nullptr) return CallDictionaryMethod(value, name, arguments, budget);
  return CallListMethod(*value.list(), name, arguments, budget);
}

}  // namespace edgemoe::jinja
