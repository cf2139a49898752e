// SPDX-License-Identifier: Apache-2.0
#include "engine/template/values/operators.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "engine/template/text/text.h"
#include "engine/template/values/comparison.h"
#include "engine/template/values/method_names.h"
#include "engine/template/values/percent_format.h"
#include "engine/template/values/printing.h"

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

Result<Value> Finite(double value) {
  if (std::isfinite(value)) return Value(value);
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
  return Value(result);
}

Result<Value> Arithmetic(Operator op, const Value& left, const Value& right) {
  const std::optional<double> a = left.number();
  const std::optional<double> b = right.number();
  if (!a || !b) return Failure(CannotApply(op, left, right));
  const bool divides =
      op == Operator::kDivide || op == Operator::kFloorDivide || op == Operator::kModulo;
  if (divides && *b == 0) return Failure(InvalidArgumentError("division by zero"));
  const auto x = left.integer();
  const auto y = right.integer();
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

// What joins a safe text must be safe, too.
Result<std::string> Escaped(const Value& text, Budget& budget) {
  EDGEMOE_FAIL_IF_ERROR(budget.Spend(text.string()->size() * (text.is_safe() ? 1 : kEscapedMax)));
  return text.is_safe() ? *text.string() : EscapeHtml(*text.string());
}

Result<Value> Add(const Value& left, const Value& right, Budget& budget) {
  if (left.is_string() && right.is_string()) {
    if (left.is_safe() || right.is_safe()) {
      EDGEMOE_ASSIGN_OR_FAIL(const std::string first, Escaped(left, budget));
      EDGEMOE_ASSIGN_OR_FAIL(const std::string second, Escaped(right, budget));
      return Value::MakeSafe(first + second);
    }
    EDGEMOE_FAIL_IF_ERROR(budget.Spend(left.string()->size() + right.string()->size()));
    return Value(*left.string() + *right.string());
  }
  const List* const a = left.list();
  const List* const b = right.list();
  if (a == nullptr || b == nullptr) return Arithmetic(Operator::kAdd, left, right);
  const bool is_tuple = a->is_tuple();
  if (is_tuple != b->is_tuple() || a->is_view() || b->is_view())
    return Failure(CannotApply(Operator::kAdd, left, right));
  EDGEMOE_FAIL_IF_ERROR(budget.Spend((a->items.size() + b->items.size()) * sizeof(Value)));
  std::vector<Value> joined = a->items;
  joined.insert(joined.end(), b->items.begin(), b->items.end());
  return MakeList(std::move(joined), budget, is_tuple ? List::Kind::kTuple : List::Kind::kList);
}

// "ab" * 3 and [0] * 3, beside numbers.
Result<Value> Multiply(const Value& left, const Value& right, Budget& budget) {
  const bool repeats_left = left.is_string() || left.list() != nullptr;
  const Value& whole = repeats_left ? left : right;
  const auto count = (repeats_left ? right : left).integer();
  const List* const list = whole.list();
  if (!count || (!whole.is_string() && (list == nullptr || list->is_view()))) {
    return Arithmetic(Operator::kMultiply, left, right);
  }
  std::vector<Value> items;
  std::string text;
  for (std::int64_t i = 0; i < *count; ++i) {
    EDGEMOE_FAIL_IF_ERROR(budget.Step());
    if (list != nullptr) {
      EDGEMOE_FAIL_IF_ERROR(budget.Spend(list->items.size() * sizeof(Value)));
      items.insert(items.end(), list->items.begin(), list->items.end());
    } else {
      EDGEMOE_FAIL_IF_ERROR(budget.Spend(whole.string()->size()));
      text += *whole.string();
    }
  }
  if (list == nullptr) return SameText(whole, std::move(text));
  return MakeList(std::move(items), budget,
                  list->is_tuple() ? List::Kind::kTuple : List::Kind::kList);
}

Result<Value> Concatenate(const Value& left, const Value& right, Budget& budget) {
  EDGEMOE_ASSIGN_OR_FAIL(std::string text, ToText(left, budget));
  EDGEMOE_ASSIGN_OR_FAIL(const std::string more, ToText(right, budget));
  return Value(text += more);
}

Result<bool> Contains(const Value& whole, const Value& part, Budget& budget) {
  if (whole.is_undefined()) return false;
  if (whole.is_string() && part.is_string()) {
    EDGEMOE_FAIL_IF_ERROR(budget.SpendFor(whole));
    return FindPart(*whole.string(), *part.string()) != std::string::npos;
  }
  if (const Dictionary* dictionary = whole.dictionary(); dictionary != nullptr && CanBeKey(part)) {
    EDGEMOE_FAIL_IF_ERROR(budget.SpendForLookup(*dictionary, part));
    return dictionary->Find(part) != nullptr;
  }
  if (List* list = whole.changeable_list();
      list != nullptr && list->kind == List::Kind::kGenerator) {
    EDGEMOE_FAIL_IF_ERROR(budget.SpendForComparing(whole));
    while (list->taken_count < list->items.size()) {
      if (AreEqual(list->items[list->taken_count++], part)) return true;
    }
    return false;
  }
  const std::vector<Value>* const items = whole.list() != nullptr   ? &whole.list()->items
                                          : whole.loop() != nullptr ? &whole.loop()->items
                                                                    : nullptr;
  if (items == nullptr) return Failure(CannotApply(Operator::kIn, part, whole));
  EDGEMOE_FAIL_IF_ERROR(budget.SpendForComparing(whole));
  return std::any_of(items->begin(), items->end(),
                     [&part](const Value& item) { return AreEqual(item, part); });
}

Value LoopAttribute(const LoopState& loop, std::string_view name) {
  const std::size_t count = loop.items.size();
  const std::size_t index = loop.index;
  if (name == "index") return Value(index + 1);
  if (name == "index0") return Value(index);
  if (name == "revindex") return Value(count - index);
  if (name == "revindex0") return Value(count - index - 1);
  if (name == "first") return Value(index == 0);
  if (name == "last") return Value(index + 1 == count);
  if (name == "length") return Value(count);
  if (name == "depth") return Value(loop.depth);
  if (name == "depth0") return Value(loop.depth - 1);
  if (name == "previtem" && index > 0) return loop.items[index - 1];
  if (name == "nextitem" && index + 1 < count) return loop.items[index + 1];
  return Value::MakeUndefined("loop." + std::string(name));
}

Value MakeMethod(const Value& owner, std::string_view name) {
  // It could come to hold itself by what it holds.
  if (List* list = owner.changeable_list()) list->is_held = true;
  if (Dictionary* dictionary = owner.changeable_dictionary()) dictionary->is_held = true;
  return Value(std::make_shared<const BoundMethod>(BoundMethod{owner, std::string(name)}));
}

// A bound of a slice over `count` elements, as Python clamps it.
Result<std::int64_t> SliceBound(const Value& bound, std::int64_t count, std::int64_t step,
                                std::int64_t absent) {
  if (bound.is_undefined() || bound.is_none()) return absent;
  const auto given = bound.integer();
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
    case Operator::kModulo:
      if (left.is_string()) return FormatWith(left, right, budget);
      return Arithmetic(op, left, right);
    case Operator::kEqual:
    case Operator::kNotEqual:
      EDGEMOE_FAIL_IF_ERROR(budget.SpendForComparing(left));
      return Value(AreEqual(left, right) == (op == Operator::kEqual));
    case Operator::kIn:
    case Operator::kNotIn: {
      EDGEMOE_ASSIGN_OR_FAIL(const bool found, Contains(right, left, budget));
      return Value(found == (op == Operator::kIn));
    }
    case Operator::kLess:
    case Operator::kLessEqual:
    case Operator::kGreater:
    case Operator::kGreaterEqual: {
      EDGEMOE_FAIL_IF_ERROR(budget.SpendForComparing(left));
      EDGEMOE_ASSIGN_OR_FAIL(const int order, Compare(left, right));
      if (op == Operator::kLess) return Value(order < 0);
      if (op == Operator::kLessEqual) return Value(order <= 0);
      return Value(op == Operator::kGreater ? order > 0 : order >= 0);
    }
    default: return Arithmetic(op, left, right);
  }
}

Result<Value> Negate(const Value& value) {
  if (value.is_float()) return Value(-*value.number());
  return Arithmetic(Operator::kSubtract, Value(0), value);
}

Result<Value> Affirm(const Value& value) {
  if (value.is_float()) return value;
  return Arithmetic(Operator::kAdd, Value(0), value);
}

Value SameText(const Value& whole, std::string text) {
  return whole.is_safe() ? Value::MakeSafe(std::move(text)) : Value(std::move(text));
}

Result<Value> GetAttribute(const Value& value, std::string_view name, Budget& budget) {
  if (value.is_undefined()) {
    return Failure(InvalidArgumentError(value.Describe() + " has no attribute \"" +
                                        std::string(name.substr(0, 64)) + "\""));
  }
  if (HasMethod(value, name)) return MakeMethod(value, name);
  if (Namespace* fields = value.fields()) {
    EDGEMOE_FAIL_IF_ERROR(budget.Spend(fields->fields.size()));
    if (const Value* found = fields->Find(name)) return *found;
  } else if (value.loop() != nullptr) {
    return LoopAttribute(*value.loop(), name);
  } else if (const Dictionary* dictionary = value.dictionary()) {
    EDGEMOE_FAIL_IF_ERROR(budget.Spend(dictionary->entries.size() * (1 + name.size() / 32)));
    if (const Value* found = dictionary->FindText(name)) return *found;
  } else if (value.list() != nullptr && value.list()->kind == List::Kind::kGroup) {
    if (name == "grouper") return value.list()->items[0];
    if (name == "list") return value.list()->items[1];
  }
  return Value::MakeUndefined(std::string(name));
}

Result<Value> GetItem(const Value& value, const Value& key, Budget& budget) {
  if (value.is_undefined()) {
    return Failure(InvalidArgumentError(value.Describe() + " has no elements"));
  }
  if (const Dictionary* dictionary = value.dictionary()) {
    EDGEMOE_FAIL_IF_ERROR(budget.SpendForLookup(*dictionary, key));
    if (const Value* const found = dictionary->Find(key)) return *found;
    if (!key.is_string()) return Value::MakeUndefined("element");
  }
  if (key.is_string()) return GetAttribute(value, *key.string(), budget);
  const std::optional<std::int64_t> index = key.integer();
  if (!index) return Value::MakeUndefined("element");
  if (const List* list = value.list()) {
    const auto count = static_cast<std::int64_t>(list->items.size());
    const std::int64_t at = *index < 0 ? *index + count : *index;
    if (at < 0 || at >= count || list->is_view()) {
      return Value::MakeUndefined("element " + std::to_string(*index));
    }
    return list->items[static_cast<std::size_t>(at)];
  }
  if (!value.is_string()) return Value::MakeUndefined("element");
  EDGEMOE_FAIL_IF_ERROR(budget.Spend(value.string()->size() * sizeof(std::size_t)));
  const std::vector<std::size_t> offsets = CharacterOffsets(*value.string());
  const auto count = static_cast<std::int64_t>(offsets.size()) - 1;
  const std::int64_t at = *index < 0 ? *index + count : *index;
  if (at < 0 || at >= count) return Value::MakeUndefined("character " + std::to_string(*index));
  const std::size_t begin = offsets[static_cast<std::size_t>(at)];
  const std::size_t end = offsets[static_cast<std::size_t>(at) + 1];
  return SameText(value, value.string()->substr(begin, end - begin));
}

Result<Value> GetPath(const Value& value, std::string_view path, const Value* absent,
                      Budget& budget) {
  EDGEMOE_FAIL_IF_ERROR(budget.Spend(path.size()));
  Value at = value;
  for (const std::string_view step : Split(path, ".", path.size(), false)) {
    EDGEMOE_FAIL_IF_ERROR(budget.Step());
    std::int64_t index = 0;
    const auto [end, error] = std::from_chars(step.data(), step.data() + step.size(), index);
    const bool is_index = error == std::errc() && end == step.data() + step.size();
    EDGEMOE_ASSIGN_OR_FAIL(at,
                           GetItem(at, is_index ? Value(index) : Value(std::string(step)), budget));
    if (at.is_undefined() && absent != nullptr) at = *absent;
  }
  return at;
}

Result<Value> GetSlice(const Value& value, const Value& first, const Value& last, const Value& step,
                       Budget& budget) {
  const List* const list = value.list();
  if ((list == nullptr || list->is_view()) && !value.is_string()) {
    return Failure(InvalidArgumentError(value.Describe() + " cannot be sliced"));
  }
  std::vector<std::size_t> offsets;
  if (list == nullptr) {
    EDGEMOE_FAIL_IF_ERROR(budget.Spend(value.string()->size() * sizeof(std::size_t)));
    offsets = CharacterOffsets(*value.string());
  }
  const auto count =
      static_cast<std::int64_t>(list != nullptr ? list->items.size() : offsets.size() - 1);
  std::int64_t stride = 1;
  if (!step.is_undefined() && !step.is_none()) {
    const auto given = step.integer();
    if (!given || *given == 0) {
      return Failure(InvalidArgumentError("slice step is 0 or " + step.Describe()));
    }
    stride = std::clamp(*given, -count - 1, count + 1);
  }
  EDGEMOE_ASSIGN_OR_FAIL(const std::int64_t begin,
                         SliceBound(first, count, stride, stride < 0 ? count - 1 : 0));
  EDGEMOE_ASSIGN_OR_FAIL(const std::int64_t end,
                         SliceBound(last, count, stride, stride < 0 ? -1 : count));
  std::vector<Value> items;
  std::string text;
  for (std::int64_t i = begin; stride < 0 ? i > end : i < end; i += stride) {
    const auto at = static_cast<std::size_t>(i);
    if (list != nullptr) {
      items.push_back(list->items[at]);
    } else {
      text.append(*value.string(), offsets[at], offsets[at + 1] - offsets[at]);
    }
  }
  if (list == nullptr) return SameText(value, std::move(text));
  return MakeList(std::move(items), budget,
                  list->is_tuple() ? List::Kind::kTuple : List::Kind::kList);
}

}  // namespace edgemoe::jinja
