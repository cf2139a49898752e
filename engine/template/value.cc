// SPDX-License-Identifier: Apache-2.0
#include "engine/template/value.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "engine/base/utf8.h"
#include "engine/template/text.h"

namespace edgemoe::jinja {

namespace {

// What a JSON node costs beside its text.
constexpr std::size_t kNodeBytes = 16;

// Adds what `json` costs to `bytes`.
Status AddCost(const Json& json, std::uint32_t depth_left, std::size_t& bytes) {
  bytes += kNodeBytes;
  if (json.is_string()) {
    bytes += json.get_ref<const std::string&>().size();
  } else if (json.is_structured()) {
    if (depth_left == 0) {
      return InvalidArgumentError("data nested more than " + std::to_string(kJsonDepthMax) +
                                  " levels deep");
    }
    for (auto it = json.begin(); it != json.end(); ++it) {
      if (json.is_object()) bytes += it.key().size();
      EDGEMOE_RETURN_IF_ERROR(AddCost(*it, depth_left - 1, bytes));
    }
  } else if (json.is_binary() || json.is_discarded()) {
    return InvalidArgumentError("data that no JSON text can say");
  }
  return OkStatus();
}

bool IsNumeric(const Json& json) { return json.is_number() || json.is_boolean(); }

double AsDouble(const Json& json) {
  return json.is_boolean() ? (json.get<bool>() ? 1.0 : 0.0) : json.get<double>();
}

bool IsIntegral(const Json& json) { return json.is_number_integer() || json.is_boolean(); }

// Unsigned values above the signed range are the only ones that do not fit.
bool FitsSigned(const Json& json) {
  return !json.is_number_unsigned() ||
         json.get<std::uint64_t>() <= static_cast<std::uint64_t>(INT64_MAX);
}

std::int64_t AsInteger(const Json& json) {
  return json.is_boolean() ? (json.get<bool>() ? 1 : 0) : json.get<std::int64_t>();
}

int CompareNumbers(const Json& a, const Json& b) {
  if (IsIntegral(a) && IsIntegral(b) && FitsSigned(a) && FitsSigned(b)) {
    const std::int64_t x = AsInteger(a);
    const std::int64_t y = AsInteger(b);
    return x < y ? -1 : x > y ? 1 : 0;
  }
  const double x = AsDouble(a);
  const double y = AsDouble(b);
  return x < y ? -1 : x > y ? 1 : 0;
}

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

std::string NumberText(const Json& json) {
  if (json.is_number_float()) return FloatText(json.get<double>());
  if (json.is_number_unsigned()) return std::to_string(json.get<std::uint64_t>());
  return std::to_string(json.get<std::int64_t>());
}

// Python's repr(), which is how containers print what they hold.
void AppendRepr(const Json& json, std::string& out) {
  if (json.is_string()) {
    AppendQuoted(json.get_ref<const std::string&>(), out);
  } else if (json.is_array()) {
    out += '[';
    for (std::size_t i = 0; i < json.size(); ++i) {
      if (i > 0) out += ", ";
      AppendRepr(json[i], out);
    }
    out += ']';
  } else if (json.is_object()) {
    out += '{';
    for (auto it = json.begin(); it != json.end(); ++it) {
      if (it != json.begin()) out += ", ";
      AppendQuoted(it.key(), out);
      out += ": ";
      AppendRepr(*it, out);
    }
    out += '}';
  } else if (json.is_boolean()) {
    out += json.get<bool>() ? "True" : "False";
  } else if (json.is_null()) {
    out += "None";
  } else {
    out += NumberText(json);
  }
}

class JsonPrinter {
 public:
  JsonPrinter(const JsonFormat& format, std::string& out) : format_(format), out_(out) {}

  void Print(const Json& json, std::size_t depth) {
    if (json.is_string()) {
      AppendJsonString(json.get_ref<const std::string&>(), format_.ascii_only, out_);
    } else if (json.is_array()) {
      out_ += '[';
      for (std::size_t i = 0; i < json.size(); ++i) {
        Separate(i > 0, depth + 1);
        Print(json[i], depth + 1);
      }
      Close(']', json.empty(), depth);
    } else if (json.is_object()) {
      PrintObject(json, depth);
    } else if (json.is_boolean()) {
      out_ += json.get<bool>() ? "true" : "false";
    } else if (json.is_null()) {
      out_ += "null";
    } else if (json.is_number_float() && !std::isfinite(json.get<double>())) {
      const double value = json.get<double>();
      out_ += std::isnan(value) ? "NaN" : value < 0 ? "-Infinity" : "Infinity";
    } else {
      out_ += NumberText(json);
    }
  }

 private:
  void PrintObject(const Json& json, std::size_t depth) {
    std::vector<Json::const_iterator> entries;
    for (auto it = json.begin(); it != json.end(); ++it) entries.push_back(it);
    if (format_.sort_keys) {
      std::stable_sort(entries.begin(), entries.end(),
                       [](const auto& a, const auto& b) { return a.key() < b.key(); });
    }
    out_ += '{';
    for (std::size_t i = 0; i < entries.size(); ++i) {
      Separate(i > 0, depth + 1);
      AppendJsonString(entries[i].key(), format_.ascii_only, out_);
      out_ += format_.key_separator;
      Print(*entries[i], depth + 1);
    }
    Close('}', json.empty(), depth);
  }

  void NewLine(std::size_t depth) {
    if (format_.indent < 0) return;
    out_ += '\n';
    out_.append(static_cast<std::size_t>(format_.indent) * depth, ' ');
  }
  void Separate(bool after_another, std::size_t depth) {
    if (after_another) out_ += format_.item_separator;
    NewLine(depth);
  }
  void Close(char bracket, bool empty, std::size_t depth) {
    if (!empty) NewLine(depth);
    out_ += bracket;
  }

  const JsonFormat& format_;
  std::string& out_;
};

}  // namespace

Value Value::MakeUndefined(std::string name) {
  Value value;
  value.held_ = Undefined{std::move(name)};
  return value;
}

Value Value::Borrow(const Json& json) {
  return Value(std::shared_ptr<const Json>(std::shared_ptr<const Json>(), &json));
}

Value Value::Part(const Value& whole, const Json& part) {
  const auto* owner = std::get_if<std::shared_ptr<const Json>>(&whole.held_);
  return Value(std::shared_ptr<const Json>(*owner, &part));
}

bool Value::is_callable() const { return macro() != nullptr || function() != nullptr; }

const Json* Value::json() const {
  const auto* held = std::get_if<std::shared_ptr<const Json>>(&held_);
  return held == nullptr ? nullptr : held->get();
}

const std::string* Value::string() const {
  return json() == nullptr ? nullptr : json()->get_ptr<const std::string*>();
}

Namespace* Value::fields() const {
  const auto* held = std::get_if<std::shared_ptr<Namespace>>(&held_);
  return held == nullptr ? nullptr : held->get();
}

const LoopState* Value::loop() const {
  const auto* held = std::get_if<std::shared_ptr<const LoopState>>(&held_);
  return held == nullptr ? nullptr : held->get();
}

const Statement* Value::macro() const {
  const auto* held = std::get_if<const Statement*>(&held_);
  return held == nullptr ? nullptr : *held;
}

std::string Value::Describe() const {
  if (const auto* undefined = std::get_if<Undefined>(&held_)) {
    return "an undefined value (\"" + undefined->name.substr(0, 64) + "\")";
  }
  if (fields() != nullptr) return "a namespace";
  if (loop() != nullptr) return "a loop";
  if (is_callable()) return "a function";
  switch (json()->type()) {
    case Json::value_t::null: return "none";
    case Json::value_t::boolean: return "a boolean";
    case Json::value_t::string: return "a string";
    case Json::value_t::array: return "a list";
    case Json::value_t::object: return "a dictionary";
    default: return "a number";
  }
}

Value* Namespace::Find(std::string_view name) {
  for (auto& [key, value] : fields) {
    if (key == name) return &value;
  }
  return nullptr;
}

Status Budget::Step() {
  if (++steps_ <= limits_.steps_max) return OkStatus();
  return InvalidArgumentError("rendering takes more than " + std::to_string(limits_.steps_max) +
                              " steps");
}

Status Budget::Spend(std::size_t bytes) {
  bytes_ += bytes;
  if (bytes_ <= limits_.handled_bytes_max) return OkStatus();
  return InvalidArgumentError("rendering handles more than " +
                              std::to_string(limits_.handled_bytes_max) +
                              " bytes of text and data");
}

Status Budget::SpendFor(const Json& json) {
  std::size_t bytes = 0;
  EDGEMOE_RETURN_IF_ERROR(AddCost(json, kJsonDepthMax, bytes));
  return Spend(bytes);
}

Result<std::size_t> LengthOf(const Value& value) {
  if (value.is_undefined()) return 0;
  if (const std::string* text = value.string()) return CountCharacters(*text);
  if (value.json() != nullptr && value.json()->is_structured()) return value.json()->size();
  if (value.loop() != nullptr) return value.loop()->items.size();
  return Failure(InvalidArgumentError(value.Describe() + " has no length"));
}

bool IsTrue(const Value& value) {
  if (value.is_undefined()) return false;
  const Json* json = value.json();
  if (json == nullptr) return true;
  switch (json->type()) {
    case Json::value_t::null: return false;
    case Json::value_t::boolean: return json->get<bool>();
    case Json::value_t::string: return !json->get_ref<const std::string&>().empty();
    case Json::value_t::array:
    case Json::value_t::object: return !json->empty();
    default: return json->get<double>() != 0;
  }
}

bool AreEqual(const Value& a, const Value& b) {
  if (a.json() != nullptr && b.json() != nullptr) return AreEqual(*a.json(), *b.json());
  if (a.is_undefined() || b.is_undefined()) return a.is_undefined() && b.is_undefined();
  if (a.fields() != nullptr) return a.fields() == b.fields();
  if (a.loop() != nullptr) return a.loop() == b.loop();
  if (a.macro() != nullptr) return a.macro() == b.macro();
  return a.function() != nullptr && b.function() != nullptr && *a.function() == *b.function();
}

bool AreEqual(const Json& a, const Json& b) {
  if (IsNumeric(a) && IsNumeric(b)) return CompareNumbers(a, b) == 0;
  if (a.type() != b.type()) return false;
  if (a.is_string()) return a.get_ref<const std::string&>() == b.get_ref<const std::string&>();
  if (a.is_null()) return true;
  if (a.size() != b.size()) return false;
  if (a.is_array()) {
    return std::equal(a.begin(), a.end(), b.begin(),
                      [](const Json& x, const Json& y) { return AreEqual(x, y); });
  }
  for (auto it = a.begin(); it != a.end(); ++it) {
    const auto other = b.find(it.key());
    if (other == b.end() || !AreEqual(*it, *other)) return false;
  }
  return true;
}

namespace {

// By the first elements that differ, else by length, as Python orders lists.
Result<int> CompareLists(const Json& a, const Json& b) {
  const auto [x, y] = std::mismatch(a.begin(), a.end(), b.begin(), b.end(),
                                    [](const Json& p, const Json& q) { return AreEqual(p, q); });
  if (x != a.end() && y != b.end()) return Compare(Value(Json(*x)), Value(Json(*y)));
  return x != a.end() ? 1 : y != b.end() ? -1 : 0;
}

}  // namespace

Result<int> Compare(const Value& a, const Value& b) {
  if (a.is_string() && b.is_string()) {
    const int order = a.string()->compare(*b.string());
    return order < 0 ? -1 : order > 0 ? 1 : 0;
  }
  if (a.json() != nullptr && b.json() != nullptr && IsNumeric(*a.json()) && IsNumeric(*b.json())) {
    return CompareNumbers(*a.json(), *b.json());
  }
  if (a.json() != nullptr && b.json() != nullptr && a.json()->is_array() && b.json()->is_array()) {
    return CompareLists(*a.json(), *b.json());
  }
  return Failure(InvalidArgumentError("cannot order " + a.Describe() + " and " + b.Describe()));
}

Result<std::string> ToText(const Value& value) {
  if (value.is_undefined()) return std::string();
  if (const std::string* text = value.string()) return *text;
  if (value.json() == nullptr) {
    return Failure(InvalidArgumentError(value.Describe() + " cannot be written as text"));
  }
  std::string text;
  AppendRepr(*value.json(), text);
  return text;
}

std::string ToJsonText(const Json& json, const JsonFormat& format) {
  std::string text;
  JsonPrinter(format, text).Print(json, 0);
  return text;
}

Result<std::vector<Value>> ItemsOf(const Value& value, Budget& budget) {
  std::vector<Value> items;
  if (value.is_undefined()) return items;
  if (value.loop() != nullptr) {
    EDGEMOE_FAIL_IF_ERROR(budget.Spend(value.loop()->items.size() * sizeof(Value)));
    return value.loop()->items;
  }
  const Json* json = value.json();
  if (const std::string* text = value.string()) {
    EDGEMOE_FAIL_IF_ERROR(budget.Spend(text->size() * sizeof(Value)));
    for (std::size_t at = 0; at < text->size();) {
      const std::uint32_t bytes = DecodeUtf8(*text, at).bytes;
      items.emplace_back(Json(text->substr(at, bytes)));
      at += bytes;
    }
    return items;
  }
  if (json == nullptr || !json->is_structured()) {
    return Failure(InvalidArgumentError(value.Describe() + " cannot be iterated"));
  }
  EDGEMOE_FAIL_IF_ERROR(budget.Spend(json->size() * sizeof(Value)));
  items.reserve(json->size());
  for (auto it = json->begin(); it != json->end(); ++it) {
    if (json->is_object()) {
      items.emplace_back(Json(it.key()));
    } else {
      items.push_back(Value::Part(value, *it));
    }
  }
  return items;
}

Result<Json> ToJson(const Value& value) {
  if (value.is_undefined()) return Json(nullptr);
  if (value.json() != nullptr) return *value.json();
  return Failure(InvalidArgumentError(value.Describe() + " cannot be kept in data"));
}

}  // namespace edgemoe::jinja
