// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <cmath>

#include "engine/template/builtins/builtins.h"
#include "engine/template/operators.h"
#include "engine/template/text.h"

namespace edgemoe::jinja {

namespace {

using Bound = BoundArguments;

constexpr std::int64_t kIndentMax = 64;

struct Call {
  std::string_view name;
  const Value& value;
  const Arguments& arguments;
  Budget& budget;

  Result<Bound> Bind(std::initializer_list<std::string_view> parameters) const {
    return Bound::Bind(name, arguments, parameters);
  }
};

// ---- one value to one value

Result<Value> Default(const Call& call) {
  EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, call.Bind({"default_value", "boolean"}));
  const bool keeps = bound.Flag(1, false) ? IsTrue(call.value) : !call.value.is_undefined();
  if (keeps) return call.value;
  return bound.Has(0) ? bound.Get(0) : Value(Json(std::string()));
}

Result<Value> Length(const Call& call) {
  if (call.value.is_string()) EDGEMOE_FAIL_IF_ERROR(call.budget.Spend(call.value.string()->size()));
  EDGEMOE_ASSIGN_OR_FAIL(const std::size_t length, LengthOf(call.value));
  return Value(Json(length));
}

Result<Value> ToJsonFilter(const Call& call) {
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

Result<Value> Text(const Call& call) {
  if (call.value.is_string()) return call.value;
  if (call.value.json() != nullptr) EDGEMOE_FAIL_IF_ERROR(call.budget.SpendFor(*call.value.json()));
  EDGEMOE_ASSIGN_OR_FAIL(std::string text, ToText(call.value));
  return Value(Json(std::move(text)));
}

// Of filters that Python's own type of text does not let have anything else.
Result<Value> StringOnly(const Call& call) {
  if (call.value.is_string()) return call.value;
  return Failure(InvalidArgumentError(call.value.Describe() + " is not a text"));
}

// Filters that call the text method of the same name on the value as text.
Result<Value> TextMethod(const Call& call) {
  EDGEMOE_ASSIGN_OR_FAIL(const Value text, Text(call));
  return CallMethod(text, call.name == "trim" ? "strip" : call.name, call.arguments, call.budget);
}

// Knows other words than the method of the same name.
Result<Value> Title(const Call& call) {
  EDGEMOE_ASSIGN_OR_FAIL([[maybe_unused]] const Bound bound, call.Bind({}));
  EDGEMOE_ASSIGN_OR_FAIL(const Value text, Text(call));
  EDGEMOE_FAIL_IF_ERROR(call.budget.Spend(text.string()->size()));
  return Value(Json(ToTitleWords(*text.string())));
}

// At least `width` characters; 80 as Jinja has it.
Result<Value> Center(const Call& call) {
  EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, call.Bind({"width"}));
  EDGEMOE_ASSIGN_OR_FAIL(const Value text, Text(call));
  EDGEMOE_ASSIGN_OR_FAIL(const std::int64_t width, bound.Integer(0, 80));
  const auto wanted = static_cast<std::size_t>(std::max<std::int64_t>(width, 0));
  EDGEMOE_FAIL_IF_ERROR(call.budget.Spend(text.string()->size() + wanted));
  return Value(Json(CenterText(*text.string(), wanted)));
}

Result<Value> WordCount(const Call& call) {
  EDGEMOE_ASSIGN_OR_FAIL([[maybe_unused]] const Bound bound, call.Bind({}));
  EDGEMOE_ASSIGN_OR_FAIL(const Value text, Text(call));
  EDGEMOE_FAIL_IF_ERROR(call.budget.Spend(text.string()->size()));
  return Value(Json(CountWords(*text.string())));
}

// Longer texts end at a space, or at any character with `killwords`, before `end`.
Result<Value> Truncate(const Call& call) {
  EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, call.Bind({"length", "killwords", "end", "leeway"}));
  EDGEMOE_ASSIGN_OR_FAIL(const std::int64_t length, bound.Integer(0, 255));
  EDGEMOE_ASSIGN_OR_FAIL(const std::string end, bound.Text(2, "..."));
  EDGEMOE_ASSIGN_OR_FAIL(const std::int64_t leeway, bound.Integer(3, 5));
  const auto end_length = static_cast<std::int64_t>(CountCharacters(end));
  if (length < end_length || leeway < 0) {
    return Failure(InvalidArgumentError("truncate: length " + std::to_string(length) +
                                        " is below that of the end, or leeway is negative"));
  }
  const Json* const list = call.value.json();
  if (list != nullptr && list->is_array() &&
      static_cast<std::int64_t>(list->size()) - length <= leeway) {
    return call.value;
  }
  EDGEMOE_ASSIGN_OR_FAIL(const Value value, StringOnly(call));
  const std::string& text = *value.string();
  EDGEMOE_FAIL_IF_ERROR(call.budget.Spend(text.size() * sizeof(std::size_t) + end.size()));
  const std::vector<std::size_t> offsets = CharacterOffsets(text);
  const auto count = static_cast<std::int64_t>(offsets.size()) - 1;
  if (count <= length || count - length <= leeway) return value;
  std::string kept = text.substr(0, offsets[static_cast<std::size_t>(length - end_length)]);
  const std::size_t space = kept.rfind(' ');
  if (!bound.Flag(1, false) && space != std::string::npos) kept.resize(space);
  return Value(Json(std::move(kept += end)));
}

Result<Value> Escape(const Call& call) {
  EDGEMOE_ASSIGN_OR_FAIL(const Value text, Text(call));
  EDGEMOE_FAIL_IF_ERROR(call.budget.Spend(text.string()->size() * 5));
  return Value(Json(EscapeHtml(*text.string())));
}

Result<Value> IndentFilter(const Call& call) {
  EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, call.Bind({"width", "first", "blank"}));
  EDGEMOE_ASSIGN_OR_FAIL(const Value text, StringOnly(call));
  std::string indentation;
  if (bound.Get(0).is_string()) {
    indentation = *bound.Get(0).string();
  } else {
    EDGEMOE_ASSIGN_OR_FAIL(const std::int64_t width, bound.Integer(0, 4));
    indentation.assign(static_cast<std::size_t>(std::clamp<std::int64_t>(width, 0, kIndentMax)),
                       ' ');
  }
  EDGEMOE_FAIL_IF_ERROR(call.budget.Spend(text.string()->size() * sizeof(std::string_view)));
  const std::size_t lines = SplitLines(*text.string(), false).size() + 1;
  EDGEMOE_FAIL_IF_ERROR(call.budget.Spend(text.string()->size() + lines * indentation.size()));
  return Value(
      Json(Indent(*text.string(), indentation, bound.Flag(1, false), bound.Flag(2, false))));
}

// ---- numbers

std::optional<double> ParseNumber(std::string_view text) {
  const std::string_view trimmed = Strip(text, nullptr, Side::kBoth);
  double number = 0;
  const auto [end, error] =
      std::from_chars(trimmed.data(), trimmed.data() + trimmed.size(), number);
  if (error != std::errc() || end != trimmed.data() + trimmed.size()) return std::nullopt;
  return number;
}

// Python's int() of a text: a sign, a prefix that says the base or agrees with it, "_" between
// digits.
std::optional<std::int64_t> ParseInteger(std::string_view text, int base) {
  std::string_view rest = Strip(text, nullptr, Side::kBoth);
  const bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  std::string digits;
  if (rest.size() > 2 && rest[0] == '0') {
    const char letter = static_cast<char>(rest[1] | 0x20);
    const int named = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 0;
    if (named != 0 && (base == 0 || base == named)) {
      base = named;
      rest.remove_prefix(rest[2] == '_' ? 3 : 2);
    }
  }
  if (base == 0 && rest.find_first_not_of("0_") != std::string_view::npos &&
      rest.starts_with('0')) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < rest.size(); ++i) {
    const bool between = i > 0 && i + 1 < rest.size() && rest[i - 1] != '_';
    if (rest[i] == '_' && !between) return std::nullopt;
    if (rest[i] != '_') digits += rest[i];
  }
  if (digits.empty() || digits[0] == '-') return std::nullopt;
  if (negative) digits.insert(0, 1, '-');
  std::int64_t number = 0;
  const char* end = digits.data() + digits.size();
  const auto parsed = std::from_chars(digits.data(), end, number, base == 0 ? 10 : base);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return number;
}

std::optional<double> NumberOf(const Value& value) {
  if (const std::string* text = value.string()) return ParseNumber(*text);
  const Json* json = value.json();
  if (json != nullptr && json->is_boolean()) return json->get<bool>() ? 1.0 : 0.0;
  if (json != nullptr && json->is_number()) return json->get<double>();
  return std::nullopt;
}

Result<Value> Int(const Call& call) {
  EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, call.Bind({"default", "base"}));
  EDGEMOE_ASSIGN_OR_FAIL(const std::int64_t base, bound.Integer(1, 10));
  if (base != 0 && (base < 2 || base > 36)) {
    return Failure(
        InvalidArgumentError("int: base " + std::to_string(base) + " is not 0 or in [2, 36]"));
  }
  if (call.value.json() != nullptr && call.value.json()->is_number_integer()) return call.value;
  if (const std::string* text = call.value.string()) {
    EDGEMOE_FAIL_IF_ERROR(call.budget.Spend(text->size()));
    if (const auto number = ParseInteger(*text, static_cast<int>(base))) {
      return Value(Json(*number));
    }
  }
  const std::optional<double> number = NumberOf(call.value);
  if (number && std::fabs(*number) < 0x1p63) {
    return Value(Json(static_cast<std::int64_t>(*number)));
  }
  return bound.Has(0) ? bound.Get(0) : Value(Json(0));
}

Result<Value> Float(const Call& call) {
  EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, call.Bind({"default"}));
  if (const auto number = NumberOf(call.value); number && std::isfinite(*number)) {
    return Value(Json(*number));
  }
  return bound.Has(0) ? bound.Get(0) : Value(Json(0.0));
}

Result<Value> Abs(const Call& call) {
  EDGEMOE_ASSIGN_OR_FAIL([[maybe_unused]] const Bound bound, call.Bind({}));
  EDGEMOE_ASSIGN_OR_FAIL(const int order, Compare(call.value, Value(Json(0))));
  return order < 0 ? Negate(call.value) : Affirm(call.value);
}

Result<Value> Round(const Call& call) {
  EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, call.Bind({"precision", "method"}));
  EDGEMOE_ASSIGN_OR_FAIL(const std::int64_t precision, bound.Integer(0, 0));
  EDGEMOE_ASSIGN_OR_FAIL(const std::string method, bound.Text(1, "common"));
  const std::optional<double> number = call.value.is_string() ? std::nullopt : NumberOf(call.value);
  if (!number || precision < -15 || precision > 15) {
    return Failure(InvalidArgumentError("round: needs a number and a precision in [-15, 15]"));
  }
  // As Python's round() does: integers stay integers.
  const bool is_integer = method == "common" && !call.value.json()->is_number_float();
  if (is_integer && precision >= 0) return Affirm(call.value);
  const double scale = std::pow(10.0, static_cast<double>(precision));
  const double scaled = *number * scale;
  double rounded = 0;
  if (method == "common") {
    rounded = std::nearbyint(scaled);
  } else if (method == "ceil") {
    rounded = std::ceil(scaled);
  } else if (method == "floor") {
    rounded = std::floor(scaled);
  } else {
    return Failure(InvalidArgumentError("round: method is not common, ceil or floor"));
  }
  const double result = std::isfinite(scaled) ? rounded / scale : *number;
  if (is_integer && std::fabs(result) < 0x1p63)
    return Value(Json(static_cast<std::int64_t>(result)));
  return Value(Json(result));
}

// ---- lists

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

// The item itself, or the attribute that `bound[index]` names. Spends what comparing it costs.
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

Value Folded(const Value& value, bool case_sensitive) {
  if (case_sensitive || !value.is_string()) return value;
  return Value(Json(ToLower(*value.string())));
}

Result<Value> List(const Call& call) {
  EDGEMOE_ASSIGN_OR_FAIL([[maybe_unused]] const Bound bound, call.Bind({}));
  EDGEMOE_ASSIGN_OR_FAIL(const auto items, ItemsOf(call.value, call.budget));
  return ListOf(items, call.budget);
}

Result<Value> FirstOrLast(const Call& call) {
  EDGEMOE_ASSIGN_OR_FAIL([[maybe_unused]] const Bound bound, call.Bind({}));
  EDGEMOE_ASSIGN_OR_FAIL(const auto items, ItemsOf(call.value, call.budget));
  if (items.empty()) return Value::MakeUndefined(std::string(call.name) + " of nothing");
  return call.name == "first" ? items.front() : items.back();
}

Result<Value> Reverse(const Call& call) {
  EDGEMOE_ASSIGN_OR_FAIL([[maybe_unused]] const Bound bound, call.Bind({}));
  const Value all;
  if (call.value.is_string()) return GetSlice(call.value, all, all, Value(Json(-1)), call.budget);
  EDGEMOE_ASSIGN_OR_FAIL(auto items, ItemsOf(call.value, call.budget));
  std::reverse(items.begin(), items.end());
  return ListOf(items, call.budget);
}

Result<Value> Join(const Call& call) {
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

Result<Value> Items(const Call& call) {
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

Result<Value> Sort(const Call& call) {
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

Result<Value> DictSort(const Call& call) {
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

Result<Value> MinOrMax(const Call& call) {
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

Result<Value> Sum(const Call& call) {
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

Result<Value> Unique(const Call& call) {
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

// How many rows or columns are wanted: the first argument.
Result<std::size_t> WantedCount(const Call& call, const Bound& bound) {
  EDGEMOE_FAIL_IF_ERROR(bound.Require(0));
  EDGEMOE_ASSIGN_OR_FAIL(const std::int64_t count, bound.Integer(0, 1));
  if (count >= 1) return static_cast<std::size_t>(count);
  return Failure(InvalidArgumentError(std::string(call.name) + ": found " + std::to_string(count) +
                                      "; accepted: at least 1"));
}

// Rows of `linecount` items, the last filled up.
Result<Value> Batch(const Call& call) {
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
Result<Value> Slice(const Call& call) {
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
Result<std::vector<Value>> ItemsIfTrue(const Call& call) {
  if (!IsTrue(call.value)) return std::vector<Value>();
  return ItemsOf(call.value, call.budget);
}

// map("filter", ...) and map(attribute="name", default=...)
Result<Value> Map(const Call& call) {
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
Result<Value> Select(const Call& call) {
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

Result<Value> Attribute(const Call& call) {
  EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, call.Bind({"name"}));
  EDGEMOE_ASSIGN_OR_FAIL(const std::string name, bound.Text(0, ""));
  // A dictionary's keys are no attributes.
  if (call.value.json() != nullptr) return Value::MakeUndefined(name);
  return GetAttribute(call.value, name, call.budget);
}

struct Filter {
  std::string_view name;
  Result<Value> (*apply)(const Call&);
};
constexpr Filter kFilters[] = {
    {"abs", Abs},
    {"attr", Attribute},
    {"batch", Batch},
    {"capitalize", TextMethod},
    {"center", Center},
    {"count", Length},
    {"d", Default},
    {"default", Default},
    {"dictsort", DictSort},
    {"e", Escape},
    {"escape", Escape},
    {"first", FirstOrLast},
    {"float", Float},
    {"indent", IndentFilter},
    {"int", Int},
    {"items", Items},
    {"join", Join},
    {"last", FirstOrLast},
    {"length", Length},
    {"list", List},
    {"lower", TextMethod},
    {"map", Map},
    {"max", MinOrMax},
    {"min", MinOrMax},
    {"reject", Select},
    {"rejectattr", Select},
    {"replace", TextMethod},
    {"reverse", Reverse},
    {"round", Round},
    {"safe", Text},
    {"select", Select},
    {"selectattr", Select},
    {"slice", Slice},
    {"sort", Sort},
    {"string", Text},
    {"sum", Sum},
    {"title", Title},
    {"tojson", ToJsonFilter},
    {"trim", TextMethod},
    {"truncate", Truncate},
    {"unique", Unique},
    {"upper", TextMethod},
    {"wordcount", WordCount},
};

}  // namespace

Result<Value> ApplyFilter(std::string_view name, const Value& value, const Arguments& arguments,
                          Budget& budget) {
  for (const Filter& filter : kFilters) {
    if (filter.name == name) return filter.apply({name, value, arguments, budget});
  }
  return Failure(
      InvalidArgumentError("no filter is called \"" + std::string(name.substr(0, 64)) + "\""));
}

}  // namespace edgemoe::jinja
