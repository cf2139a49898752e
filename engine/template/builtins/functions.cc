// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "engine/template/builtins/builtins.h"

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
  Json list = Json::array();
  for (std::int64_t i = begin; step > 0 ? i < end : i > end;) {
    EDGEMOE_FAIL_IF_ERROR(budget.Step());
    EDGEMOE_FAIL_IF_ERROR(budget.Spend(sizeof(Json)));
    list.push_back(i);
    if (__builtin_add_overflow(i, step, &i)) break;
  }
  return Value(std::move(list));
}

// namespace(a=1) and namespace({"a": 1}). It holds no namespace, so that none can hold itself.
Result<Value> MakeNamespace(const Arguments& arguments) {
  auto made = std::make_shared<Namespace>();
  for (const Value& value : arguments.positional) {
    if (value.json() == nullptr || !value.json()->is_object()) {
      return Failure(InvalidArgumentError("namespace: " + value.Describe() + " has no keys"));
    }
    for (auto it = value.json()->begin(); it != value.json()->end(); ++it) {
      made->fields.emplace_back(it.key(), Value::Part(value, *it));
    }
  }
  for (const auto& [name, value] : arguments.named) {
    if (value.fields() != nullptr) {
      return Failure(InvalidArgumentError("namespace: \"" + name + "\" is a namespace"));
    }
    if (Value* found = made->Find(name)) {
      *found = value;
    } else {
      made->fields.emplace_back(name, value);
    }
  }
  return Value(std::move(made));
}

Result<Value> MakeDictionary(const Arguments& arguments, Budget& budget) {
  Json made = Json::object();
  for (const Value& value : arguments.positional) {
    if (value.json() == nullptr || !value.json()->is_object()) {
      return Failure(InvalidArgumentError("dict: " + value.Describe() + " has no keys"));
    }
    made.update(*value.json());
  }
  for (const auto& [name, value] : arguments.named) {
    EDGEMOE_ASSIGN_OR_FAIL(made[name], ToJson(value));
  }
  EDGEMOE_FAIL_IF_ERROR(budget.SpendFor(made));
  return Value(std::move(made));
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
  return Value(Json(std::move(text)));
}

}  // namespace

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
    case Function::kNamespace: return MakeNamespace(arguments);
    case Function::kDictionary: return MakeDictionary(arguments, budget);
    case Function::kStrftimeNow: return StrftimeNow(arguments, *now);
    case Function::kRaiseException: break;
  }
  EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, Bound::Bind("raise_exception", arguments, {"message"}));
  EDGEMOE_ASSIGN_OR_FAIL(const std::string message, ToText(bound.Get(0)));
  return Failure(InvalidArgumentError(message));
}

}  // namespace edgemoe::jinja
