// SPDX-License-Identifier: Apache-2.0
#include "engine/template/values/percent_format.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>
#include <utility>

#include "engine/base/utf8.h"
#include "engine/template/text/text.h"
#include "engine/template/values/printing.h"

namespace edgemoe::jinja {

namespace {

// Width and precision are refused beyond it, before the budget is asked.
constexpr std::int64_t kWidthMax = 1'000'000'000;

// "%-08.3f"
struct Conversion {
  bool left = false;
  bool zeros = false;
  bool plus = false;
  bool space = false;
  bool alternate = false;
  std::int64_t width = 0;
  std::int64_t precision = -1;
  char letter = '\0';
};

class Formatter {
 public:
  Formatter(const Value& format, const Value& given, Budget& budget)
      : format_(*format.string()), escapes_(format.is_safe()), given_(given), budget_(budget) {}

  Result<std::string> Run() {
    EDGEMOE_FAIL_IF_ERROR(budget_.Spend(format_.size()));
    while (at_ < format_.size()) {
      const std::size_t percent = std::min(format_.find('%', at_), format_.size());
      out_.append(format_, at_, percent - at_);
      at_ = percent;
      if (at_ == format_.size()) break;
      ++at_;
      if (Take('%')) {
        out_ += '%';
        continue;
      }
      EDGEMOE_FAIL_IF_ERROR(budget_.Step());
      EDGEMOE_FAIL_IF_ERROR(Convert());
    }
    const List* const tuple = Tuple();
    const bool all_used = tuple != nullptr ? next_ == tuple->items.size() : next_ > 0;
    const bool all_needed =
        tuple != nullptr ||
        (given_.list() == nullptr && given_.dictionary() == nullptr && !given_.is_undefined());
    if (all_needed && !all_used) return Failure(Refuse("more values than it uses"));
    return std::move(out_);
  }

 private:
  static Status Refuse(const std::string& what) { return InvalidArgumentError("format: " + what); }

  const List* Tuple() const {
    return given_.list() != nullptr && given_.list()->is_tuple() ? given_.list() : nullptr;
  }

  Result<Value> NextValue() {
    if (named_) return *std::exchange(named_, std::nullopt);
    const std::size_t index = next_++;
    if (const List* tuple = Tuple()) {
      if (index < tuple->items.size()) return tuple->items[index];
    } else if (index == 0) {
      return given_;
    }
    return Failure(Refuse("fewer values than it uses"));
  }

  bool Take(char c) {
    const bool found = at_ < format_.size() && format_[at_] == c;
    if (found) ++at_;
    return found;
  }

  // "(name)": the brackets inside a name are in pairs.
  Status ReadName() {
    if (!Take('(')) return OkStatus();
    const std::size_t begin = at_;
    for (int open = 1; open > 0; ++at_) {
      if (at_ >= format_.size()) return Refuse("a name without \")\"");
      open += format_[at_] == '(' ? 1 : format_[at_] == ')' ? -1 : 0;
    }
    if (given_.dictionary() == nullptr) return Refuse("names, and no dictionary");
    const std::string name = format_.substr(begin, at_ - 1 - begin);
    EDGEMOE_RETURN_IF_ERROR(budget_.SpendForLookup(*given_.dictionary(), Value(name)));
    const Value* const found = given_.dictionary()->FindText(name);
    if (found == nullptr) return Refuse("no value is called \"" + name.substr(0, 64) + "\"");
    named_ = *found;
    next_ = 1;
    return OkStatus();
  }

  void ReadFlags(Conversion& conversion) {
    while (at_ < format_.size()) {
      if (Take('-')) {
        conversion.left = true;
      } else if (Take('0')) {
        conversion.zeros = true;
      } else if (Take('+')) {
        conversion.plus = true;
      } else if (Take(' ')) {
        conversion.space = true;
      } else if (Take('#')) {
        conversion.alternate = true;
      } else {
        return;
      }
    }
  }

  // Digits, or "*" for a value; `absent` for neither.
  Result<std::int64_t> ReadNumber(std::int64_t absent) {
    std::int64_t number = absent;
    if (Take('*')) {
      EDGEMOE_ASSIGN_OR_FAIL(const Value value, NextValue());
      if (!value.integer()) return Failure(Refuse("\"*\" with " + value.Describe()));
      number = *value.integer();
    } else {
      const char* const begin = format_.data() + at_;
      const auto [end, error] = std::from_chars(begin, format_.data() + format_.size(), number);
      if (error == std::errc::result_out_of_range) number = kWidthMax + 1;
      if (end != begin && *begin != '-') at_ += static_cast<std::size_t>(end - begin);
    }
    if (number > kWidthMax || number < -kWidthMax)
      return Failure(Refuse("a width or precision above 1000000000"));
    return number;
  }

  Status Convert() {
    Conversion conversion;
    named_.reset();
    EDGEMOE_RETURN_IF_ERROR(ReadName());
    ReadFlags(conversion);
    EDGEMOE_ASSIGN_OR_RETURN(conversion.width, ReadNumber(0));
    if (conversion.width < 0) {  // by "*" only
      conversion.left = true;
      conversion.width = -conversion.width;
    }
    if (Take('.')) {
      EDGEMOE_ASSIGN_OR_RETURN(const std::int64_t precision, ReadNumber(0));
      conversion.precision = std::max<std::int64_t>(precision, 0);
    }
    if (at_ < format_.size() &&
        (format_[at_] == 'h' || format_[at_] == 'l' || format_[at_] == 'L')) {
      ++at_;
    }
    if (at_ >= format_.size()) return Refuse("\"%\" at the end");
    conversion.letter = format_[at_++];
    EDGEMOE_RETURN_IF_ERROR(
        budget_.Spend(static_cast<std::size_t>(conversion.width) +
                      static_cast<std::size_t>(std::max<std::int64_t>(conversion.precision, 0))));
    EDGEMOE_ASSIGN_OR_RETURN(const Value value, NextValue());
    switch (conversion.letter) {
      case 's':
      case 'r':
      case 'a': return ConvertText(conversion, value);
      case 'c': return ConvertCharacter(conversion, value);
      case 'd':
      case 'i':
      case 'u':
      case 'o':
      case 'x':
      case 'X': return ConvertInteger(conversion, value);
      case 'e':
      case 'E':
      case 'f':
      case 'F':
      case 'g':
      case 'G': return ConvertFloat(conversion, value);
      default: break;
    }
    return Refuse("no conversion \"%" + std::string(1, conversion.letter) + "\"");
  }

  Status ConvertText(const Conversion& conversion, const Value& value) {
    EDGEMOE_ASSIGN_OR_RETURN(std::string text, conversion.letter == 's' ? ToText(value, budget_)
                                                                        : ToRepr(value, budget_));
    if (conversion.letter == 'a') text = EscapeBeyondAscii(text);
    if (escapes_ && !value.is_safe()) {
      EDGEMOE_RETURN_IF_ERROR(budget_.Spend(text.size() * kEscapedMax));
      text = EscapeHtml(text);
    }
    if (conversion.precision >= 0) {
      EDGEMOE_RETURN_IF_ERROR(budget_.Spend(text.size() * sizeof(std::size_t)));
      const std::vector<std::size_t> offsets = CharacterOffsets(text);
      const auto kept = static_cast<std::size_t>(conversion.precision);
      if (kept < offsets.size()) text.resize(offsets[kept]);
    }
    Pad(conversion, "", text, /*with_zeros=*/false);
    return OkStatus();
  }

  Status ConvertCharacter(const Conversion& conversion, const Value& value) {
    std::string text;
    if (value.string() != nullptr) {
      text = *value.string();
    } else if (const auto code = value.integer(); code && *code >= 0 && *code < 0x110000) {
      AppendUtf8(static_cast<char32_t>(*code), text);
    }
    if (CountCharacters(text) != 1)
      return Refuse("%c with " + value.Describe() + ", not one character");
    Pad(conversion, "", text, /*with_zeros=*/false);
    return OkStatus();
  }

  Status ConvertInteger(const Conversion& conversion, const Value& value) {
    const bool is_decimal =
        std::string_view("diu").find(conversion.letter) != std::string_view::npos;
    std::optional<std::int64_t> integer = value.integer();
    if (is_decimal && value.is_float() && std::fabs(*value.number()) < 0x1p63) {
      integer = static_cast<std::int64_t>(*value.number());
    }
    if (!integer) {
      return Refuse("%" + std::string(1, conversion.letter) + " with " + value.Describe() +
                    ", not an integer of 64 bits");
    }
    const int base = is_decimal ? 10 : conversion.letter == 'o' ? 8 : 16;
    const std::uint64_t size = *integer < 0 ? 0 - static_cast<std::uint64_t>(*integer)
                                            : static_cast<std::uint64_t>(*integer);
    char buffer[64];
    std::string digits(buffer, std::to_chars(buffer, buffer + sizeof(buffer), size, base).ptr);
    if (conversion.letter == 'X') digits = ToUpper(digits);
    if (const auto least =
            static_cast<std::size_t>(std::max<std::int64_t>(conversion.precision, 0));
        digits.size() < least) {
      digits.insert(0, least - digits.size(), '0');
    }
    std::string sign = SignOf(conversion, *integer < 0);
    if (conversion.alternate && !is_decimal) sign += {'0', conversion.letter};
    Pad(conversion, sign, digits, conversion.zeros);
    return OkStatus();
  }

  Status ConvertFloat(const Conversion& conversion, const Value& value) {
    if (!value.number()) {
      return Refuse("%" + std::string(1, conversion.letter) + " with " + value.Describe() +
                    ", not a number");
    }
    if (conversion.alternate) return Refuse("\"#\" with %e, %f and %g is not supported");
    const double number = *value.number();
    const char kind = static_cast<char>(conversion.letter | 0x20);
    const auto style = kind == 'e'   ? std::chars_format::scientific
                       : kind == 'f' ? std::chars_format::fixed
                                     : std::chars_format::general;
    const auto precision = static_cast<int>(conversion.precision < 0 ? 6 : conversion.precision);
    // Longer than the largest number, written out.
    std::string digits(static_cast<std::size_t>(precision) + 400, '\0');
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), std::fabs(number),
                                   style, precision);
    if (end.ec != std::errc()) return Refuse("a number that is too long");
    digits.resize(static_cast<std::size_t>(end.ptr - digits.data()));
    if (conversion.letter != kind) digits = ToUpper(digits);
    Pad(conversion, SignOf(conversion, std::signbit(number)), digits, conversion.zeros);
    return OkStatus();
  }

  static std::string SignOf(const Conversion& conversion, bool negative) {
    return negative ? "-" : conversion.plus ? "+" : conversion.space ? " " : "";
  }

  void Pad(const Conversion& conversion, std::string_view sign, std::string_view text,
           bool with_zeros) {
    const std::size_t length = sign.size() + CountCharacters(text);
    const auto width = static_cast<std::size_t>(conversion.width);
    const std::size_t missing = width > length ? width - length : 0;
    if (!conversion.left && !with_zeros) out_.append(missing, ' ');
    out_.append(sign);
    if (!conversion.left && with_zeros) out_.append(missing, '0');
    out_.append(text);
    if (conversion.left) out_.append(missing, ' ');
  }

  const std::string& format_;
  const bool escapes_;
  const Value& given_;
  Budget& budget_;
  std::size_t at_ = 0;
  std::size_t next_ = 0;          // the tuple's item that comes next
  std::optional<Value> named_{};  // the dictionary's value that this conversion names
  std::string out_;
};

}  // namespace

Result<Value> FormatWith(const Value& format, const Value& given, Budget& budget) {
  EDGEMOE_ASSIGN_OR_FAIL(std::string text, Formatter(format, given, budget).Run());
  return format.is_safe() ? Value::MakeSafe(std::move(text)) : Value(std::move(text));
}

}  // namespace edgemoe::jinja
