// SPDX-License-Identifier: Apache-2.0
#include "engine/template/operators.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "engine/template/text.h"

namespace edgemoe::jinja {

namespace {

const char* OperatorText(Operator op) {
  switch (op) {
    case Operator::kAdd: return "+";
    case Operator::kSubtract: return "-";
    case Operator::kMultiply: return "*";
    case Operator::kDivide: return "/";
    case Operator::kFloorDivide: return "//";
    case Operator::kModulo: return "%";
    case Operator::kPower: return "**";
    case Operator::kConcatenate: return "~";
    case Operator::kEqual: return "==";
    case Operator::kNotEqual: return "!=";
    case Operator::kLess: return "<";
    case Operator::kLessEqual: return "<=";
    case Operator::kGreater: return ">";
    case Operator::kGreaterEqual: return ">=";
    case Operator::kIn: return "in";
    case Operator::kNotIn: return "not in";
  }
  return "?";
}

Status CannotApply(Operator op, const Value& left, const Value& right) {
  return InvalidArgumentError(std::string("\"") + OperatorText(op) + "\" does not work on " +
                              left.Describe() + " and " + right.Describe());
}

// An integer or boolean in the signed range.
std::optional<std::int64_t> IntegerOf(const Value& value) {
  const Json* json = value.json();
  if (json == nullptr) return std::nullopt;
  if (json->is_boolean()) return json->get<bool>() ? 1 : 0;
  if (json->is_number_unsigned() &&
      json->get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX)) {
    return std::nullopt;
  }
  if (!json->is_number_integer()) return std::nullopt;
  return json->get<std::int64_t>();
}

std::optional<double> NumberOf(const Value& value) {
  if (const auto integer = IntegerOf(value)) return static_cast<double>(*integer);
  if (value.json() == nullptr || !value.json()->is_number()) return std::nullopt;
  return value.json()->get<double>();
}

Result<Value> Finite(double value) {
  if (std::isfinite(value)) return Value(Json(value));
  return Failure(InvalidArgumentError("the result is not a finite number"));
}

Result<Value> IntegerArithmetic(Operator op, std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  bool overflow = false;
  switch (op) {
    case Operator::kAdd: overflow = __builtin_add_overflow(a, b, &result); break;
    case Operator::kSubtract: overflow = __builtin_sub_overflow(a, b, &result); break;
    case Operator::kMultiply: overflow = __builtin_mul_overflow(a, b, &result); break;
    case Operator::kFloorDivide:
    case Operator::kModulo: {
      overflow = a == INT64_MIN && b == -1;
      if (overflow) break;
      const std::int64_t remainder = a % b;
      const bool rounds_up = remainder != 0 && (remainder < 0) != (b < 0);
      result =
          op == Operator::kModulo ? remainder + (rounds_up ? b : 0) : a / b - (rounds_up ? 1 : 0);
      break;
    }
    default: {  // kPower, b >= 0
      result = 1;
      for (std::int64_t base = a, exponent = b; exponent > 0 && !overflow; exponent >>= 1) {
        if ((exponent & 1) != 0) overflow = __builtin_mul_overflow(result, base, &result);
        if (exponent > 1) overflow = __builtin_mul_overflow(base, base, &base) || overflow;
      }
    }
  }
  if (overflow) return Failure(InvalidArgumentError("the result does not fit in 64 bits"));
  return Value(Json(result));
}

Result<Value> Arithmetic(Operator op, const Value& left, const Value& right) {
  const std::optional<double> a = NumberOf(left);
  const std::optional<double> b = NumberOf(right);
  if (!a || !b) return Failure(CannotApply(op, left, right));
  const bool divides =
      op == Operator::kDivide || op == Operator::kFloorDivide || op == Operator::kModulo;
  if (divides && *b == 0) return Failure(InvalidArgumentError("division by zero"));
  const auto x = IntegerOf(left);
  const auto y = IntegerOf(right);
  const bool stays_integer = op != Operator::kDivide && (op != Operator::kPower || (y && *y >= 0));
  if (x && y && stays_integer) return IntegerArithmetic(op, *x, *y);
  switch (op) {
    case Operator::kAdd: return Finite(*a + *b);
    case Operator::kSubtract: return Finite(*a - *b);
    case Operator::kMultiply: return Finite(*a * *b);
    case Operator::kDivide: return Finite(*a / *b);
    case Operator::kFloorDivide: return Finite(std::floor(*a / *b));
    case Operator::kModulo: {  // as in Python: of the sign of the divisor, also when it is 0
      const double remainder = std::fmod(*a, *b);
      if (remainder == 0) return Finite(std::copysign(0.0, *b));
      return Finite((remainder < 0) != (*b < 0) ? remainder + *b : remainder);
    }
    default: return Finite(std::pow(*a, *b));
  }
}

Result<Value> Add(const Value& left, const Value& right, Budget& budget) {
  if (left.is_string() && right.is_string()) {
    EDGEMOE_FAIL_IF_ERROR(budget.Spend(left.string()->size() + right.string()->size()));
    return Value(Json(*left.string() + *right.string()));
  }
  if (left.json() != nullptr && right.json() != nullptr && left.json()->is_array() &&
      right.json()->is_array()) {
    EDGEMOE_FAIL_IF_ERROR(budget.SpendFor(*left.json()));
    EDGEMOE_FAIL_IF_ERROR(budget.SpendFor(*right.json()));
    Json joined = *left.json();
    joined.insert(joined.end(), right.json()->begin(), right.json()->end());
    return Value(std::move(joined));
  }
  return Arithmetic(Operator::kAdd, left, right);
}

// "ab" * 3 and [0] * 3, beside numbers.
Result<Value> Multiply(const Value& left, const Value& right, Budget& budget) {
  const bool repeats_left = left.is_string() || (left.json() != nullptr && left.json()->is_array());
  const Value& whole = repeats_left ? left : right;
  const auto count = IntegerOf(repeats_left ? right : left);
  const bool is_list = whole.json() != nullptr && whole.json()->is_array();
  if (!count || (!whole.is_string() && !is_list)) {
    return Arithmetic(Operator::kMultiply, left, right);
  }
  Json result = is_list ? Json::array() : Json(std::string());
  for (std::int64_t i = 0; i < *count; ++i) {
    EDGEMOE_FAIL_IF_ERROR(budget.Step());
    EDGEMOE_FAIL_IF_ERROR(budget.SpendFor(*whole.json()));
    if (is_list) {
      result.insert(result.end(), whole.json()->begin(), whole.json()->end());
    } else {
      result.get_ref<std::string&>() += *whole.string();
    }
  }
  return Value(std::move(result));
}

Result<Value> Concatenate(const Value& left, const Value& right, Budget& budget) {
  for (const Value* value : {&left, &right}) {
    if (value->json() != nullptr) EDGEMOE_FAIL_IF_ERROR(budget.SpendFor(*value->json()));
  }
  EDGEMOE_ASSIGN_OR_FAIL(std::string text, ToText(left));
  EDGEMOE_ASSIGN_OR_FAIL(const std::string more, ToText(right));
  return Value(Json(std::move(text += more)));
}

Result<bool> Contains(const Value& whole, const Value& part, Budget& budget) {
  if (whole.is_undefined()) return false;
  if (whole.json() != nullptr) EDGEMOE_FAIL_IF_ERROR(budget.SpendFor(*whole.json()));
  if (const std::string* text = whole.string()) {
    if (part.is_string()) return text->find(*part.string()) != std::string::npos;
  } else if (whole.json() != nullptr && whole.json()->is_object()) {
    return part.is_string() && whole.json()->contains(*part.string());
  } else if (whole.json() != nullptr && whole.json()->is_array()) {
    if (part.json() == nullptr) return false;
    return std::any_of(whole.json()->begin(), whole.json()->end(),
                       [&](const Json& item) { return AreEqual(item, *part.json()); });
  }
  return Failure(CannotApply(Operator::kIn, part, whole));
}

Value LoopAttribute(const LoopState& loop, std::string_view name) {
  const std::size_t count = loop.items.size();
  const std::size_t index = loop.index;
  if (name == "index") return Value(Json(index + 1));
  if (name == "index0") return Value(Json(index));
  if (name == "revindex") return Value(Json(count - index));
  if (name == "revindex0") return Value(Json(count - index - 1));
  if (name == "first") return Value(Json(index == 0));
  if (name == "last") return Value(Json(index + 1 == count));
  if (name == "length") return Value(Json(count));
  if (name == "depth") return Value(Json(loop.depth));
  if (name == "depth0") return Value(Json(loop.depth - 1));
  if (name == "previtem" && index > 0) return loop.items[index - 1];
  if (name == "nextitem" && index + 1 < count) return loop.items[index + 1];
  return Value::MakeUndefined("loop." + std::string(name));
}

// A bound of a slice over `count` elements, as Python clamps it.
Result<std::int64_t> SliceBound(const Value& bound, std::int64_t count, std::int64_t step,
                                std::int64_t absent) {
  if (bound.is_undefined() || bound.is_none()) return absent;
  const auto given = IntegerOf(bound);
  if (!given) return Failure(InvalidArgumentError("slice bound is " + bound.Describe()));
  const std::int64_t least = step < 0 ? -1 : 0;
  const std::int64_t most = step < 0 ? count - 1 : count;
  const std::int64_t from_end = *given < 0 ? std::max(*given, -count - 1) + count : *given;
  return std::clamp(from_end, least, most);
}

}  // namespace

Result<Value> ApplyBinary(Operator op, const Value& left, const Value& right, Budget& budget) {
  switch (op) {
    case Operator::kAdd: return Add(left, right, budget);
    case Operator::kMultiply: return Multiply(left, right, budget);
    case Operator::kConcatenate: return Concatenate(left, right, budget);
    case Operator::kEqual:
    case Operator::kNotEqual:
      if (left.json() != nullptr) EDGEMOE_FAIL_IF_ERROR(budget.SpendFor(*left.json()));
      return Value(Json(AreEqual(left, right) == (op == Operator::kEqual)));
    case Operator::kIn:
    case Operator::kNotIn: {
      EDGEMOE_ASSIGN_OR_FAIL(const bool found, Contains(right, left, budget));
      return Value(Json(found == (op == Operator::kIn)));
    }
    case Operator::kLess:
    case Operator::kLessEqual:
    case Operator::kGreater:
    case Operator::kGreaterEqual: {
      if (left.json() != nullptr) EDGEMOE_FAIL_IF_ERROR(budget.SpendFor(*left.json()));
      EDGEMOE_ASSIGN_OR_FAIL(const int order, Compare(left, right));
      if (op == Operator::kLess) return Value(Json(order < 0));
      if (op == Operator::kLessEqual) return Value(Json(order <= 0));
      return Value(Json(op == Operator::kGreater ? order > 0 : order >= 0));
    }
    default: return Arithmetic(op, left, right);
  }
}

Result<Value> Negate(const Value& value) {
  return Arithmetic(Operator::kSubtract, Value(Json(0)), value);
}

Result<Value> Affirm(const Value& value) {
  return Arithmetic(Operator::kAdd, Value(Json(0)), value);
}

Result<Value> GetAttribute(const Value& value, std::string_view name, Budget& budget) {
  if (value.is_undefined()) {
    return Failure(InvalidArgumentError(value.Describe() + " has no attribute \"" +
                                        std::string(name.substr(0, 64)) + "\""));
  }
  if (Namespace* fields = value.fields()) {
    if (const Value* found = fields->Find(name)) return *found;
  } else if (value.loop() != nullptr) {
    return LoopAttribute(*value.loop(), name);
  } else if (value.json() != nullptr && value.json()->is_object()) {
    EDGEMOE_FAIL_IF_ERROR(budget.Spend(value.json()->size()));
    const auto found = value.json()->find(std::string(name));
    if (found != value.json()->end()) return Value::Part(value, *found);
  }
  return Value::MakeUndefined(std::string(name));
}

Result<Value> GetItem(const Value& value, const Value& key, Budget& budget) {
  if (key.is_string()) return GetAttribute(value, *key.string(), budget);
  if (value.is_undefined()) {
    return Failure(InvalidArgumentError(value.Describe() + " has no elements"));
  }
  const std::optional<std::int64_t> index = IntegerOf(key);
  const bool is_list = value.json() != nullptr && value.json()->is_array();
  if (!index || (!is_list && !value.is_string())) return Value::MakeUndefined("element");
  if (is_list) {
    const auto count = static_cast<std::int64_t>(value.json()->size());
    const std::int64_t at = *index < 0 ? *index + count : *index;
    if (at < 0 || at >= count) return Value::MakeUndefined("element " + std::to_string(*index));
    return Value::Part(value, (*value.json())[static_cast<std::size_t>(at)]);
  }
  EDGEMOE_FAIL_IF_ERROR(budget.Spend(value.string()->size() * sizeof(std::size_t)));
  const std::vector<std::size_t> offsets = CharacterOffsets(*value.string());
  const auto count = static_cast<std::int64_t>(offsets.size()) - 1;
  const std::int64_t at = *index < 0 ? *index + count : *index;
  if (at < 0 || at >= count) return Value::MakeUndefined("character " + std::to_string(*index));
  const std::size_t begin = offsets[static_cast<std::size_t>(at)];
  const std::size_t end = offsets[static_cast<std::size_t>(at) + 1];
  return Value(Json(value.string()->substr(begin, end - begin)));
}

Result<Value> GetPath(const Value& value, std::string_view path, Budget& budget) {
  Value at = value;
  for (const std::string_view step : Split(path, ".", path.size(), false)) {
    std::int64_t index = 0;
    const auto [end, error] = std::from_chars(step.data(), step.data() + step.size(), index);
    const bool is_index = error == std::errc() && end == step.data() + step.size();
    EDGEMOE_ASSIGN_OR_FAIL(
        at, is_index ? GetItem(at, Value(Json(index)), budget) : GetAttribute(at, step, budget));
  }
  return at;
}

Result<Value> GetSlice(const Value& value, const Value& first, const Value& last, const Value& step,
                       Budget& budget) {
  const bool is_list = value.json() != nullptr && value.json()->is_array();
  if (!is_list && !value.is_string()) {
    return Failure(InvalidArgumentError(value.Describe() + " cannot be sliced"));
  }
  EDGEMOE_FAIL_IF_ERROR(budget.SpendFor(*value.json()));
  std::vector<std::size_t> offsets;
  if (!is_list) {
    EDGEMOE_FAIL_IF_ERROR(budget.Spend(value.string()->size() * sizeof(std::size_t)));
    offsets = CharacterOffsets(*value.string());
  }
  const auto count = static_cast<std::int64_t>(is_list ? value.json()->size() : offsets.size() - 1);
  std::int64_t stride = 1;
  if (!step.is_undefined() && !step.is_none()) {
    const auto given = IntegerOf(step);
    if (!given || *given == 0) {
      return Failure(InvalidArgumentError("slice step is 0 or " + step.Describe()));
    }
    stride = std::clamp(*given, -count - 1, count + 1);
  }
  EDGEMOE_ASSIGN_OR_FAIL(const std::int64_t begin,
                         SliceBound(first, count, stride, stride < 0 ? count - 1 : 0));
  EDGEMOE_ASSIGN_OR_FAIL(const std::int64_t end,
                         SliceBound(last, count, stride, stride < 0 ? -1 : count));
  Json list = Json::array();
  std::string text;
  for (std::int64_t i = begin; stride < 0 ? i > end : i < end; i += stride) {
    const auto at = static_cast<std::size_t>(i);
    if (is_list) {
      list.push_back((*value.json())[at]);
    } else {
      text.append(*value.string(), offsets[at], offsets[at + 1] - offsets[at]);
    }
  }
  return is_list ? Value(std::move(list)) : Value(Json(std::move(text)));
}

}  // namespace edgemoe::jinja
