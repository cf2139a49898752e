// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <cmath>
#include <optional>

#include "engine/template/builtins/filters.h"
#include "engine/template/text/text.h"
#include "engine/template/values/comparison.h"
#include "engine/template/values/operators.h"

namespace edgemoe::jinja {

namespace {

using Bound = BoundArguments;

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
  return value.number();
}

// The default is for what is there and no number.
Status RefuseUndefined(const FilterCall& call) {
  if (!call.value.is_undefined()) return OkStatus();
  return InvalidArgumentError(std::string(call.name) + ": " + call.value.Describe());
}

Result<Value> Int(const FilterCall& call) {
  EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, call.Bind({"default", "base"}));
  EDGEMOE_FAIL_IF_ERROR(RefuseUndefined(call));
  EDGEMOE_ASSIGN_OR_FAIL(const std::int64_t base, bound.Integer(1, 10));
  if (base != 0 && (base < 2 || base > 36)) {
    return Failure(
        InvalidArgumentError("int: base " + std::to_string(base) + " is not 0 or in [2, 36]"));
  }
  if (call.value.is_integer()) return call.value;
  if (const std::string* text = call.value.string()) {
    EDGEMOE_FAIL_IF_ERROR(call.budget.Spend(text->size()));
    if (const auto number = ParseInteger(*text, static_cast<int>(base))) {
      return Value(*number);
    }
  }
  const std::optional<double> number = NumberOf(call.value);
  if (number && std::fabs(*number) < 0x1p63) {
    return Value(static_cast<std::int64_t>(*number));
  }
  return bound.Has(0) ? bound.Get(0) : Value(0);
}

Result<Value> Float(const FilterCall& call) {
  EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, call.Bind({"default"}));
  EDGEMOE_FAIL_IF_ERROR(RefuseUndefined(call));
  if (const auto number = NumberOf(call.value); number && std::isfinite(*number)) {
    return Value(*number);
  }
  return bound.Has(0) ? bound.Get(0) : Value(0.0);
}

Result<Value> Abs(const FilterCall& call) {
  EDGEMOE_ASSIGN_OR_FAIL([[maybe_unused]] const Bound bound, call.Bind({}));
  EDGEMOE_ASSIGN_OR_FAIL(const int order, Compare(call.value, Value(0)));
  return order < 0 ? Negate(call.value) : Affirm(call.value);
}

Value RoundExactly(double number, int precision) {
  char digits[400];  // more than the largest number has, written out
  const auto end =
      std::to_chars(digits, digits + sizeof(digits), number, std::chars_format::fixed, precision);
  double rounded = number;
  if (end.ec == std::errc()) std::from_chars(digits, end.ptr, rounded);
  return Value(rounded);
}

Result<Value> Round(const FilterCall& call) {
  EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, call.Bind({"precision", "method"}));
  EDGEMOE_ASSIGN_OR_FAIL(const std::int64_t precision, bound.Integer(0, 0));
  EDGEMOE_ASSIGN_OR_FAIL(const std::string method, bound.Text(1, "common"));
  const std::optional<double> number = call.value.is_string() ? std::nullopt : NumberOf(call.value);
  if (!number || precision < -15 || precision > 15) {
    return Failure(InvalidArgumentError("round: needs a number and a precision in [-15, 15]"));
  }
  // As Python's round() does: integers stay integers, and what counts is the number's exact value.
  const bool is_integer = method == "common" && !call.value.is_float();
  if (is_integer && precision >= 0) return Affirm(call.value);
  if (method == "common" && precision >= 0)
    return RoundExactly(*number, static_cast<int>(precision));
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
  // Python's ceil() and floor() give integers, whose zero has no sign.
  if (method != "common") rounded += 0.0;
  const double result = std::isfinite(scaled) ? rounded / scale : *number;
  if (is_integer && std::fabs(result) < 0x1p63) return Value(static_cast<std::int64_t>(result));
  return Value(result);
}

}  // namespace

std::span<const Filter> NumberFilters() {
  static constexpr Filter kFilters[] = {
      {"abs", Abs},
      {"float", Float},
      {"int", Int},
      {"round", Round},
  };
  return kFilters;
}

}  // namespace edgemoe::jinja
