// SPDX-License-Identifier: Apache-2.0
#include "engine/template/values/printing.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>
#include <vector>

#include "engine/template/syntax/syntax.h"
#include "engine/template/text/text.h"
#include "engine/template/values/comparison.h"

namespace edgemoe::jinja {

namespace {

std::string FloatText(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  const double size = std::fabs(value);
  const bool plain = size == 0 || (size >= 1e-4 && size < 1e16);
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), value,
                                 plain ? std::chars_format::fixed : std::chars_format::scientific);
  std::string text(buffer, end.ptr);
  if (plain && text.find('.') == std::string::npos) text += ".0";
  return text;
}

std::string NumberText(const Value& value) {
  if (value.is_float()) return FloatText(*value.number());
  if (const auto integer = value.integer()) return std::to_string(*integer);
  return std::to_string(value.large_integer().value_or(0));
}

struct Brackets {
  std::string_view open;
  std::string_view close;
};
Brackets BracketsOf(List::Kind kind) {
  switch (kind) {
    case List::Kind::kTuple:
    case List::Kind::kGroup: return {"(", ")"};
    case List::Kind::kKeys: return {"dict_keys([", "])"};
    case List::Kind::kValues: return {"dict_values([", "])"};
    case List::Kind::kItems: return {"dict_items([", "])"};
    case List::Kind::kGenerator: break;  // never written
    case List::Kind::kList: break;
  }
  return {"[", "]"};
}

// Lists and dictionaries are paid for as a whole; what namespaces hold, when it is met.
class ReprWriter {
 public:
  ReprWriter(Budget& budget, std::string& out) : budget_(budget), out_(out) {}

  Status Write(const Value& value) {
    switch (value.type()) {
      case Value::Type::kUndefined: out_ += "Undefined"; break;
      case Value::Type::kNone: out_ += "None"; break;
      case Value::Type::kBoolean: out_ += IsTrue(value) ? "True" : "False"; break;
      case Value::Type::kText:
        if (value.is_safe()) out_ += "Markup(";
        AppendQuoted(*value.string(), out_);
        if (value.is_safe()) out_ += ')';
        break;
      case Value::Type::kList: return WriteList(*value.list());
      case Value::Type::kDictionary: return WriteDictionary(*value.dictionary());
      case Value::Type::kNamespace: return WriteNamespace(*value.fields());
      case Value::Type::kLoop: {
        const LoopState& loop = *value.loop();
        out_ += "<LoopContext " + std::to_string(loop.index + 1) + "/" +
                std::to_string(loop.items.size()) + ">";
        break;
      }
      case Value::Type::kMacro: {
        const Statement& macro = *value.macro()->statement;
        out_ += macro.kind == Statement::Kind::kCall ? "<Macro anonymous>"
                                                     : "<Macro '" + macro.text + "'>";
        break;
      }
      case Value::Type::kFunction:
      case Value::Type::kMethod:
        return InvalidArgumentError("a function cannot be written as text");
      default: out_ += NumberText(value);
    }
    return OkStatus();
  }

 private:
  Status WriteList(const List& list) {
    if (list.kind == List::Kind::kGenerator) {
      return InvalidArgumentError(
          "a generator cannot be written as text: \"|list\" makes it a list");
    }
    const Brackets brackets = BracketsOf(list.kind);
    out_ += brackets.open;
    for (std::size_t i = 0; i < list.items.size(); ++i) {
      if (i > 0) out_ += ", ";
      EDGEMOE_RETURN_IF_ERROR(Write(list.items[i]));
    }
    if (list.is_tuple() && list.items.size() == 1) out_ += ',';
    out_ += brackets.close;
    return OkStatus();
  }

  Status WriteDictionary(const Dictionary& dictionary) {
    out_ += '{';
    for (std::size_t i = 0; i < dictionary.entries.size(); ++i) {
      if (i > 0) out_ += ", ";
      EDGEMOE_RETURN_IF_ERROR(Write(dictionary.entries[i].first));
      out_ += ": ";
      EDGEMOE_RETURN_IF_ERROR(Write(dictionary.entries[i].second));
    }
    out_ += '}';
    return OkStatus();
  }

  // A namespace may hold itself.
  Status WriteNamespace(const Namespace& fields) {
    if (std::find(open_.begin(), open_.end(), &fields) != open_.end()) {
      out_ += "<Namespace {...}>";
      return OkStatus();
    }
    if (open_.size() >= kNamespacesMax) {
      return InvalidArgumentError("namespaces in each other, more than " +
                                  std::to_string(kNamespacesMax) + " levels deep");
    }
    open_.push_back(&fields);
    out_ += "<Namespace {";
    for (std::size_t i = 0; i < fields.fields.size(); ++i) {
      const auto& [name, value] = fields.fields[i];
      EDGEMOE_RETURN_IF_ERROR(budget_.Step());
      EDGEMOE_RETURN_IF_ERROR(budget_.Spend(name.size()));
      EDGEMOE_RETURN_IF_ERROR(budget_.SpendFor(value));
      if (i > 0) out_ += ", ";
      AppendQuoted(name, out_);
      out_ += ": ";
      EDGEMOE_RETURN_IF_ERROR(Write(value));
    }
    out_ += "}>";
    open_.pop_back();
    return OkStatus();
  }

  static constexpr std::size_t kNamespacesMax =
      16;  // with up to kDataDepthMax lists between two of them
  Budget& budget_;
  std::string& out_;
  std::vector<const Namespace*> open_{};  // those that are being written
};

class JsonPrinter {
 public:
  JsonPrinter(const JsonFormat& format, Budget& budget, std::string& out)
      : format_(format), budget_(budget), out_(out) {}

  Status Print(const Value& value, std::size_t depth) {
    switch (value.type()) {
      case Value::Type::kNone: out_ += "null"; break;
      case Value::Type::kText: AppendJsonString(*value.string(), format_.ascii_only, out_); break;
      case Value::Type::kList: return PrintList(*value.list(), depth);
      case Value::Type::kDictionary: return PrintDictionary(*value.dictionary(), depth);
      case Value::Type::kBoolean:
      case Value::Type::kInteger:
      case Value::Type::kUnsigned:
      case Value::Type::kFloat: out_ += ScalarText(value); break;
      default: return InvalidArgumentError("tojson: " + value.Describe() + " is not data");
    }
    return OkStatus();
  }

 private:
  static std::string ScalarText(const Value& value) {
    if (value.is_boolean()) return IsTrue(value) ? "true" : "false";
    const double number = *value.number();
    if (std::isnan(number)) return "NaN";
    if (std::isinf(number)) return number < 0 ? "-Infinity" : "Infinity";
    return NumberText(value);
  }

  Status PrintList(const List& list, std::size_t depth) {
    if (list.is_view()) {
      return InvalidArgumentError(
          "tojson: a view of a dictionary or a generator is not data: \"|list\" makes it a list");
    }
    out_ += '[';
    for (std::size_t i = 0; i < list.items.size(); ++i) {
      EDGEMOE_RETURN_IF_ERROR(Separate(i > 0 ? format_.item_separator : "", depth + 1));
      EDGEMOE_RETURN_IF_ERROR(Print(list.items[i], depth + 1));
    }
    if (!list.items.empty()) EDGEMOE_RETURN_IF_ERROR(Separate("", depth));
    out_ += ']';
    return OkStatus();
  }

  Status PrintDictionary(const Dictionary& dictionary, std::size_t depth) {
    std::vector<const std::pair<Value, Value>*> entries;
    for (const auto& entry : dictionary.entries) entries.push_back(&entry);
    if (format_.sort_keys) EDGEMOE_RETURN_IF_ERROR(SortByKey(entries));
    out_ += '{';
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const auto& [key, value] = *entries[i];
      EDGEMOE_RETURN_IF_ERROR(Separate(i > 0 ? format_.item_separator : "", depth + 1));
      if (!key.is_string() && !key.is_none() && !key.number()) {
        return InvalidArgumentError("tojson: " + key.Describe() + " is no key in JSON");
      }
      const std::string scalar = key.is_string() ? "" : key.is_none() ? "null" : ScalarText(key);
      AppendJsonString(key.is_string() ? *key.string() : scalar, format_.ascii_only, out_);
      EDGEMOE_RETURN_IF_ERROR(budget_.Spend(format_.key_separator.size()));
      out_ += format_.key_separator;
      EDGEMOE_RETURN_IF_ERROR(Print(value, depth + 1));
    }
    if (!entries.empty()) EDGEMOE_RETURN_IF_ERROR(Separate("", depth));
    out_ += '}';
    return OkStatus();
  }

  static Status SortByKey(std::vector<const std::pair<Value, Value>*>& entries) {
    for (const auto* entry : entries) {
      const Result<int> order = Compare(entries.front()->first, entry->first);
      if (!order) return order.error();
    }
    std::stable_sort(entries.begin(), entries.end(), [](const auto* a, const auto* b) {
      return Compare(a->first, b->first).value_or(0) < 0;
    });
    return OkStatus();
  }

  // Separators and indentation may be longer than all data.
  Status Separate(std::string_view separator, std::size_t depth) {
    const std::size_t indentation =
        format_.indent < 0 ? 0 : static_cast<std::size_t>(format_.indent) * depth + 1;
    EDGEMOE_RETURN_IF_ERROR(budget_.Spend(separator.size() + indentation));
    out_ += separator;
    if (indentation > 0) out_.append(1, '\n').append(indentation - 1, ' ');
    return OkStatus();
  }

  const JsonFormat& format_;
  Budget& budget_;
  std::string& out_;
};

}  // namespace

Result<std::string> ToText(const Value& value, Budget& budget) {
  if (value.is_undefined()) return std::string();
  if (!value.is_string()) return ToRepr(value, budget);
  EDGEMOE_FAIL_IF_ERROR(budget.Spend(value.string()->size()));
  return *value.string();
}

Result<std::string> ToRepr(const Value& value, Budget& budget) {
  EDGEMOE_FAIL_IF_ERROR(budget.SpendFor(value));
  std::string text;
  EDGEMOE_FAIL_IF_ERROR(ReprWriter(budget, text).Write(value));
  return text;
}

Result<std::string> ToJsonText(const Value& value, const JsonFormat& format, Budget& budget) {
  EDGEMOE_FAIL_IF_ERROR(budget.SpendFor(value));
  std::string text;
  EDGEMOE_FAIL_IF_ERROR(JsonPrinter(format, budget, text).Print(value, 0));
  EDGEMOE_FAIL_IF_ERROR(budget.Spend(text.size()));
  return text;
}

}  // namespace edgemoe::jinja
