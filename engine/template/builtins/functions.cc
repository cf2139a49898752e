// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "engine/template/builtins/builtins.h"
#include "engine/template/values/printing.h"

namespace edgemoe::jinja {

namespace {

using Bound = BoundArguments;

Result<Value> Range(const Arguments& arguments, Budget& budget) {
  EDGEMOE_ASSIGN_OR_FAIL(const Bound bound,
                         Bound::Bind("range", arguments, {"start", "stop", "step"}));
  EDGEMOE_FAIL_IF_ERROR(bound.Require(0));
  EDGEMOE_ASSIGN_OR_FAIL(const std::int64_t first, bound.Integer(0, 0));
  EDGEMOE_ASSIGN_OR_FAIL(const std::int64_t second, bound.Integer(1, 0));
  EDGEMOE_ASSIGN_OR_FAIL(const std::int64_t step, bound.Integer(2, 1));
  if (step == 0) return Failure(InvalidArgumentError("range: the step is 0"));
  const std::int64_t begin = bound.Has(1) ? first : 0;
  const std::int64_t end = bound.Has(1) ? second : first;
  std::vector<Value> items;
  for (std::int64_t i = begin; step > 0 ? i < end : i > end;) {
    EDGEMOE_FAIL_IF_ERROR(budget.Step());
    EDGEMOE_FAIL_IF_ERROR(budget.Spend(sizeof(Value)));
    items.emplace_back(i);
    if (__builtin_add_overflow(i, step, &i)) break;
  }
  return MakeList(std::move(items), budget);
}

// [[key, value], ...]
Result<std::vector<std::pair<Value, Value>>> PairsOf(std::string_view callee, const Value& value,
                                                     Budget& budget) {
  EDGEMOE_ASSIGN_OR_FAIL(const auto items, ItemsOf(value, budget));
  std::vector<std::pair<Value, Value>> pairs;
  for (const Value& item : items) {
    EDGEMOE_FAIL_IF_ERROR(budget.Step());
    EDGEMOE_ASSIGN_OR_FAIL(const auto pair, ItemsOf(item, budget));
    if (pair.size() != 2 || item.is_undefined()) {
      return Failure(InvalidArgumentError(std::string(callee) + ": " + item.Describe() +
                                          " is no pair of key and value"));
    }
    pairs.emplace_back(pair[0], pair[1]);
  }
  return pairs;
}

Result<Value> DictionaryFunction(const Arguments& arguments, Budget& budget) {
  EDGEMOE_ASSIGN_OR_FAIL(auto entries, EntriesOf("dict", arguments, budget));
  return MakeDictionary(std::move(entries), budget);
}

Result<Value> NamespaceFunction(const Arguments& arguments, Budget& budget) {
  EDGEMOE_ASSIGN_OR_FAIL(const auto entries, EntriesOf("namespace", arguments, budget));
  EDGEMOE_ASSIGN_OR_FAIL(Namespace* const made, budget.MakeNamespace());
  for (const auto& [key, value] : entries) {
    if (!key.is_string()) {
      return Failure(InvalidArgumentError("namespace: " + key.Describe() + " is no name"));
    }
    EDGEMOE_FAIL_IF_ERROR(budget.Spend(sizeof(Value) + made->fields.size()));
    if (Value* found = made->Find(*key.string())) {
      *found = value;
    } else {
      made->fields.emplace_back(*key.string(), value);
    }
  }
  return Value(made);
}

// The conversions whose meaning C and Python share, with "-" for "without padding".
Result<Value> StrftimeNow(const Arguments& arguments, const std::tm& now) {
  EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, Bound::Bind("strftime_now", arguments, {"format"}));
  EDGEMOE_ASSIGN_OR_FAIL(const std::string format, bound.Text(0, "%Y-%m-%d"));
  constexpr std::string_view kConversions = "aAbBcdeFHIjmMpSTuUwWxXyY%";
  constexpr std::size_t kFormatBytesMax = 256;
  if (format.size() > kFormatBytesMax) {
    return Failure(InvalidArgumentError("strftime_now: the format is longer than 256 bytes"));
  }
  std::string text;
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') {
      text += format[i];
      continue;
    }
    std::string conversion = "%";
    if (i + 1 < format.size() && format[i + 1] == '-') conversion += format[++i];
    const char letter = ++i < format.size() ? format[i] : '\0';
    if (letter == '\0' || kConversions.find(letter) == std::string_view::npos) {
      return Failure(
          InvalidArgumentError("strftime_now: no conversion \"" + conversion + letter + "\""));
    }
    conversion += letter;
    std::array<char, 128> buffer{};
    text.append(buffer.data(),
                std::strftime(buffer.data(), buffer.size(), conversion.c_str(), &now));
  }
  return Value(std::move(text));
}

}  // namespace

Result<std::vector<std::pair<Value, Value>>> EntriesOf(std::string_view callee,
                                                       const Arguments& arguments, Budget& budget) {
  std::vector<std::pair<Value, Value>> entries;
  for (const Value& value : arguments.positional) {
    const Dictionary* const dictionary = value.dictionary();
    if (dictionary == nullptr) {
      EDGEMOE_ASSIGN_OR_FAIL(const auto pairs, PairsOf(callee, value, budget));
      entries.insert(entries.end(), pairs.begin(), pairs.end());
      continue;
    }
    EDGEMOE_FAIL_IF_ERROR(budget.Spend(dictionary->entries.size() * 2 * sizeof(Value)));
    entries.insert(entries.end(), dictionary->entries.begin(), dictionary->entries.end());
  }
  for (const auto& [name, value] : arguments.named) entries.emplace_back(name, value);
  return entries;
}

std::optional<Function> FindFunction(std::string_view name, const std::optional<std::tm>& now) {
  if (name == "range") return Function::kRange;
  if (name == "namespace") return Function::kNamespace;
  if (name == "dict") return Function::kDictionary;
  if (name == "raise_exception") return Function::kRaiseException;
  if (name == "strftime_now" && now.has_value()) return Function::kStrftimeNow;
  return std::nullopt;
}

Result<Value> CallFunction(Function function, const Arguments& arguments,
                           const std::optional<std::tm>& now, Budget& budget) {
  switch (function) {
    case Function::kRange: return Range(arguments, budget);
    case Function::kNamespace: return NamespaceFunction(arguments, budget);
    case Function::kDictionary: return DictionaryFunction(arguments, budget);
    case Function::kStrftimeNow: return StrftimeNow(arguments, *now);
    case Function::kRaiseException: break;
  }
  EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, Bound::Bind("raise_exception", arguments, {"message"}));
  EDGEMOE_ASSIGN_OR_FAIL(const std::string message, ToText(bound.Get(0), budget));
  return Failure(InvalidArgumentError(message));
}

}  // namespace edgemoe::jinja
