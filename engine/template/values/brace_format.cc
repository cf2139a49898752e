// SPDX-License-Identifier: Apache-2.0
#include "engine/template/values/brace_format.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>

#include "engine/base/utf8.h"
#include "engine/template/text/text.h"
#include "engine/template/values/operators.h"
#include "engine/template/values/printing.h"

namespace edgemoe::jinja {

namespace {

constexpr std::int64_t kWidthMax = 1'000'000;  // also of a precision

Status Refuse(const std::string& what) { return InvalidArgumentError("format: " + what); }

// "*>+08,.3f"
struct Specification {
  std::string fill = " ";
  char align = '\0';
  char sign = '-';
  bool zeros = false;
  char group = '\0';
  std::int64_t width = 0;
  std::int64_t precision = -1;
  char type = '\0';
};

bool IsOneOf(char c, std::string_view characters) {
  return characters.find(c) != std::string_view::npos;
}

Result<std::int64_t> TakeNumber(std::string_view& text, std::int64_t absent) {
  if (text.empty() || !IsOneOf(text[0], "0123456789")) return absent;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (error != std::errc() || number > kWidthMax) {
    return Failure(Refuse("a width or precision above " + std::to_string(kWidthMax)));
  }
  return number;
}

Result<Specification> ParseSpecification(std::string_view text) {
  Specification made;
  const std::size_t first = text.empty() ? 0 : DecodeUtf8(text, 0).bytes;
  if (first > 0 && first < text.size() && IsOneOf(text[first], "<>^=")) {
    made.fill = text.substr(0, first);
    made.align = text[first];
    text.remove_prefix(first + 1);
  } else if (!text.empty() && IsOneOf(text[0], "<>^=")) {
    made.align = text[0];
    text.remove_prefix(1);
  }
  if (!text.empty() && IsOneOf(text[0], "+- ")) {
    made.sign = text[0];
    text.remove_prefix(1);
  }
  if (!text.empty() && text[0] == '0') {
    made.zeros = true;
    text.remove_prefix(1);
  }
  EDGEMOE_ASSIGN_OR_FAIL(made.width, TakeNumber(text, 0));
  if (!text.empty() && IsOneOf(text[0], ",_")) {
    made.group = text[0];
    text.remove_prefix(1);
  }
  if (!text.empty() && text[0] == '.') {
    text.remove_prefix(1);
    EDGEMOE_ASSIGN_OR_FAIL(made.precision, TakeNumber(text, -1));
    if (made.precision < 0) return Failure(Refuse("\".\" without a precision"));
  }
  if (!text.empty()) {
    made.type = text[0];
    text.remove_prefix(1);
  }
  if (!text.empty() || !IsOneOf(made.type, std::string_view("\0sdboxXceEfFgG%", 15))) {
    return Failure(Refuse("no specification that is supported: \"" + std::string(text) +
                          (made.type == '\0' ? "" : std::string(1, made.type)) + "\""));
  }
  return made;
}

void Pad(const Specification& specification, std::string_view sign, std::string_view text,
         char usual, std::string& out) {
  const bool fills_zeros = specification.zeros && specification.align == '\0' && usual == '>';
  const char align = specification.align != '\0' ? specification.align : fills_zeros ? '=' : usual;
  const std::string_view fill =
      specification.zeros && specification.fill == " " ? "0" : std::string_view(specification.fill);
  const std::size_t length = sign.size() + CountCharacters(text);
  const auto width = static_cast<std::size_t>(specification.width);
  const std::size_t missing = width > length ? width - length : 0;
  const std::size_t before = align == '<' ? 0 : align == '^' ? missing / 2 : missing;
  if (align == '=') out += sign;
  for (std::size_t i = 0; i < before; ++i) out += fill;
  if (align != '=') out += sign;
  out += text;
  for (std::size_t i = before; i < missing; ++i) out += fill;
}

// "1234567" as "1,234,567"; what stands behind the digits stays.
std::string Grouped(std::string_view digits, const Specification& specification) {
  const bool is_decimal = !IsOneOf(specification.type, "boxX") || specification.type == '\0';
  const std::size_t every = is_decimal ? 3 : 4;
  std::size_t count = 0;
  while (count < digits.size() && IsOneOf(digits[count], "0123456789abcdefABCDEF") &&
         !(is_decimal && IsOneOf(digits[count], "abcdefABCDEF"))) {
    ++count;
  }
  std::string out;
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0 && (count - i) % every == 0) out += specification.group;
    out += digits[i];
  }
  return out.append(digits.substr(count));
}

class Formatter {
 public:
  Formatter(bool escapes, std::span<const Value> positional,
            std::span<const std::pair<std::string, Value>> named, Budget& budget)
      : escapes_(escapes), positional_(positional), named_(named), budget_(budget) {}

  // `depth` is 1 in a specification, whose fields have none.
  Result<std::string> Run(std::string_view format, int depth) {
    EDGEMOE_FAIL_IF_ERROR(budget_.Spend(format.size()));
    std::string out;
    while (!format.empty()) {
      const std::size_t brace = std::min(format.find_first_of("{}"), format.size());
      out += format.substr(0, brace);
      format.remove_prefix(brace);
      if (format.empty()) break;
      if (depth == 0 && format.size() > 1 && format[1] == format[0]) {
        out += format[0];
        format.remove_prefix(2);
        continue;
      }
      if (format[0] == '}') return Failure(Refuse("\"}\" without \"{\""));
      std::size_t end = 1;
      for (int open = 1; open > 0; ++end) {
        if (end >= format.size()) return Failure(Refuse("\"{\" without \"}\""));
        open += format[end] == '{' ? 1 : format[end] == '}' ? -1 : 0;
      }
      if (depth > 1) return Failure(Refuse("fields nested more than two levels deep"));
      EDGEMOE_FAIL_IF_ERROR(budget_.Step());
      EDGEMOE_ASSIGN_OR_FAIL(const std::string field, Field(format.substr(1, end - 2), depth));
      out += field;
      format.remove_prefix(end);
    }
    return out;
  }

 private:
  Result<std::string> Field(std::string_view field, int depth) {
    const std::size_t named = std::min(field.find_first_of("!:["), field.size());
    std::size_t name_end = named;
    while (name_end < field.size() && field[name_end] == '[') {
      const std::size_t close = field.find(']', name_end);
      if (close == std::string_view::npos) return Failure(Refuse("\"[\" without \"]\""));
      name_end = std::min(field.find_first_of("!:[", close), field.size());
    }
    EDGEMOE_ASSIGN_OR_FAIL(Value value, Find(field.substr(0, name_end)));
    std::string_view rest = field.substr(name_end);
    if (rest.starts_with('!')) {
      const char conversion = rest.size() > 1 ? rest[1] : '\0';
      if (!IsOneOf(conversion, "rsa") || (rest.size() > 2 && rest[2] != ':')) {
        return Failure(Refuse("a conversion that is not \"!r\", \"!s\" or \"!a\""));
      }
      EDGEMOE_ASSIGN_OR_FAIL(std::string text,
                             conversion == 's' ? ToText(value, budget_) : ToRepr(value, budget_));
      value = Value(conversion == 'a' ? EscapeBeyondAscii(text) : std::move(text));
      rest.remove_prefix(2);
    }
    if (!rest.empty()) rest.remove_prefix(1);
    EDGEMOE_ASSIGN_OR_FAIL(const std::string written, Run(rest, depth + 1));
    EDGEMOE_ASSIGN_OR_FAIL(std::string text, Write(value, written));
    if (!escapes_ || value.is_safe() || depth > 0) return text;
    EDGEMOE_FAIL_IF_ERROR(budget_.Spend(text.size() * kEscapedMax));
    return EscapeHtml(text);
  }

  // "name.part[key]": the first is an argument's name or place.
  Result<Value> Find(std::string_view path) {
    const std::size_t first = std::min(path.find_first_of(".["), path.size());
    EDGEMOE_ASSIGN_OR_FAIL(Value value, Argument(path.substr(0, first)));
    path.remove_prefix(first);
    while (!path.empty()) {
      const bool is_key = path[0] == '[';
      const std::size_t end =
          std::min(is_key ? path.find(']') : path.find_first_of(".[", 1), path.size());
      const std::string_view name = path.substr(1, end - 1);
      std::int64_t index = 0;
      const auto parsed = std::from_chars(name.data(), name.data() + name.size(), index);
      const bool is_index = is_key && !name.empty() && name[0] != '-' && parsed.ec == std::errc() &&
                            parsed.ptr == name.data() + name.size();
      EDGEMOE_ASSIGN_OR_FAIL(value, is_index ? GetItem(value, Value(index), budget_)
                                    : is_key ? GetItem(value, Value(std::string(name)), budget_)
                                             : GetAttribute(value, name, budget_));
      path.remove_prefix(std::min(end + (is_key ? 1 : 0), path.size()));
    }
    return value;
  }

  Result<Value> Argument(std::string_view name) {
    std::size_t index = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), index);
    const bool is_index = !name.empty() && error == std::errc() && end == name.data() + name.size();
    if (name.empty() || is_index) {
      if (numbered_ && *numbered_ != is_index) {
        return Failure(Refuse("fields with and without numbers"));
      }
      numbered_ = is_index;
      if (!is_index) index = next_++;
      if (index < positional_.size()) return positional_[index];
      return Failure(Refuse("no argument " + std::to_string(index)));
    }
    EDGEMOE_FAIL_IF_ERROR(budget_.Spend(named_.size()));
    for (const auto& [key, value] : named_) {
      if (key == name) return value;
    }
    return Failure(Refuse("no argument is called \"" + std::string(name.substr(0, 64)) + "\""));
  }

  Result<std::string> Write(const Value& value, std::string_view written) {
    EDGEMOE_ASSIGN_OR_FAIL(const Specification specification, ParseSpecification(written));
    EDGEMOE_FAIL_IF_ERROR(budget_.Spend(
        static_cast<std::size_t>(specification.width) * specification.fill.size() +
        static_cast<std::size_t>(std::max<std::int64_t>(specification.precision, 0))));
    if (written.empty()) return ToText(value, budget_);
    std::string out;
    if (value.is_string()) {
      EDGEMOE_FAIL_IF_ERROR(CheckForText(specification));
      EDGEMOE_FAIL_IF_ERROR(budget_.Spend(value.string()->size() * sizeof(std::size_t)));
      std::string text = *value.string();
      Truncate(specification, text);
      Pad(specification, "", text, '<', out);
      return out;
    }
    if (!value.number()) return Failure(Refuse("a specification with " + value.Describe()));
    EDGEMOE_FAIL_IF_ERROR(WriteNumber(value, specification, out));
    return out;
  }

  static Status CheckForText(const Specification& specification) {
    if ((specification.type == '\0' || specification.type == 's') && specification.sign == '-' &&
        specification.align != '=' && specification.group == '\0') {
      return OkStatus();
    }
    return Refuse("a number's specification with a text");
  }

  static void Truncate(const Specification& specification, std::string& text) {
    if (specification.precision < 0) return;
    const std::vector<std::size_t> offsets = CharacterOffsets(text);
    const auto kept = static_cast<std::size_t>(specification.precision);
    if (kept < offsets.size()) text.resize(offsets[kept]);
  }

  Status WriteNumber(const Value& value, const Specification& specification, std::string& out) {
    const char type = specification.type;
    if (type == 's') return Refuse("type \"s\" with a number");
    const bool as_float = IsOneOf(type, "eEfFgG%") && type != '\0';
    if (!as_float && !value.is_float()) return WriteInteger(value, specification, out);
    if (!as_float && type != '\0') {
      return Refuse("type \"" + std::string(1, type) + "\" with a number that is no integer");
    }
    return WriteFloat(*value.number(), specification, out);
  }

  static Status WriteInteger(const Value& value, const Specification& specification,
                             std::string& out) {
    const auto integer = value.integer();
    const char type = specification.type;
    if (!integer) return Refuse("an integer beyond 64 bits");
    if (specification.precision >= 0) return Refuse("a precision with an integer");
    if (type == 'c') {
      if (*integer < 0 || *integer >= 0x110000) return Refuse("no character has this number");
      std::string text;
      AppendUtf8(static_cast<char32_t>(*integer), text);
      Pad(specification, "", text, '<', out);
      return OkStatus();
    }
    const int base = type == 'b' ? 2 : type == 'o' ? 8 : type == 'x' || type == 'X' ? 16 : 10;
    const std::uint64_t size = *integer < 0 ? 0 - static_cast<std::uint64_t>(*integer)
                                            : static_cast<std::uint64_t>(*integer);
    char buffer[72];
    std::string digits(buffer, std::to_chars(buffer, buffer + sizeof(buffer), size, base).ptr);
    if (type == 'X') digits = ToUpper(digits);
    if (specification.group == ',' && base != 10) return Refuse("\",\" with this type");
    return Finish(*integer < 0, digits, specification, out);
  }

  Status WriteFloat(double number, const Specification& specification, std::string& out) {
    const char type = specification.type;
    const char kind = static_cast<char>(type | 0x20);
    const double size = std::fabs(number) * (type == '%' ? 100 : 1);
    std::string digits(
        static_cast<std::size_t>(std::max<std::int64_t>(specification.precision, 0)) + 400, '\0');
    const auto precision =
        static_cast<int>(specification.precision < 0 ? 6 : specification.precision);
    const auto style = kind == 'e'                  ? std::chars_format::scientific
                       : kind == 'f' || type == '%' ? std::chars_format::fixed
                                                    : std::chars_format::general;
    if (type == '\0' && specification.precision < 0) {
      EDGEMOE_ASSIGN_OR_RETURN(digits, ToRepr(Value(size), budget_));
    } else {
      const auto end =
          std::to_chars(digits.data(), digits.data() + digits.size(), size, style, precision);
      if (end.ec != std::errc()) return Refuse("a number that is too long");
      digits.resize(static_cast<std::size_t>(end.ptr - digits.data()));
      if (type == '\0') MarkAsFloat(size, precision, digits);
    }
    if (type == '%') digits += '%';
    if (type != '\0' && type != '%' && type != kind) digits = ToUpper(digits);
    return Finish(std::signbit(number), digits, specification, out);
  }

  // Without a type there is a digit behind the point, or, where the precision leaves none, an
  // exponent.
  static void MarkAsFloat(double size, int precision, std::string& digits) {
    if (digits.find_first_of(".e") != std::string::npos) return;
    if (digits.size() < static_cast<std::size_t>(std::max(precision, 1))) {
      digits += ".0";
      return;
    }
    digits.assign(static_cast<std::size_t>(precision) + 400, '\0');
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), size,
                                   std::chars_format::scientific, std::max(precision, 1) - 1);
    digits.resize(static_cast<std::size_t>(end.ptr - digits.data()));
    const std::size_t exponent = digits.find('e');
    const std::size_t point = digits.find('.');
    if (point == std::string::npos) return;
    std::size_t kept = digits.find_last_not_of('0', exponent - 1) + 1;
    if (kept == point + 1) kept = point;
    digits.erase(kept, exponent - kept);
  }

  static Status Finish(bool negative, std::string digits, const Specification& specification,
                       std::string& out) {
    if (specification.group != '\0') {
      if (specification.zeros) return Refuse("zeros in front of groups are not supported");
      digits = Grouped(digits, specification);
    }
    const std::string sign = negative                    ? "-"
                             : specification.sign == '-' ? ""
                                                         : std::string(1, specification.sign);
    Pad(specification, sign, digits, '>', out);
    return OkStatus();
  }

  const bool escapes_;
  std::span<const Value> positional_;
  std::span<const std::pair<std::string, Value>> named_;
  Budget& budget_;
  std::size_t next_ = 0;            // the argument that a field without a name takes
  std::optional<bool> numbered_{};  // whether fields have numbers: all or none
};

}  // namespace

Result<Value> FormatBraces(const Value& format, std::span<const Value> positional,
                           std::span<const std::pair<std::string, Value>> named, Budget& budget) {
  EDGEMOE_ASSIGN_OR_FAIL(
      std::string text,
      Formatter(format.is_safe(), positional, named, budget).Run(*format.string(), 0));
  return format.is_safe() ? Value::MakeSafe(std::move(text)) : Value(std::move(text));
}

}  // namespace edgemoe::jinja
