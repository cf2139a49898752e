// SPDX-License-Identifier: Apache-2.0
#include "engine/template/syntax/lexer.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "engine/base/utf8.h"

namespace edgemoe::jinja {

namespace {

bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsNameStart(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsNameChar(char c) { return IsNameStart(c) || IsDigit(c); }

int HexValue(char c) {
  if (IsDigit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Longer operators first.
constexpr std::array<std::string_view, 25> kOperators = {
    "==", "!=", "<=", ">=", "//", "**", "+", "-", "*", "/", "%", "~", "<",
    ">",  "=",  "(",  ")",  "[",  "]",  "{", "}", ",", ":", ".", "|"};

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(source) {}

  Result<std::vector<Token>> Run() {
    while (at_ < source_.size()) {
      EDGEMOE_FAIL_IF_ERROR(ReadText());
      if (at_ >= source_.size()) break;
      const char kind = source_[at_ + 1];
      if (kind == '#') {
        EDGEMOE_FAIL_IF_ERROR(SkipComment());
      } else if (kind == '%' && AtRaw()) {
        EDGEMOE_FAIL_IF_ERROR(ReadRaw());
      } else {
        EDGEMOE_FAIL_IF_ERROR(ReadTag(kind == '%'));
      }
    }
    Add(Token::Kind::kEnd, Position(at_), {});
    return std::move(tokens_);
  }

 private:
  // Positions are asked for in ascending order, so that counting lines is linear in all.
  SourcePosition Position(std::size_t offset) {
    for (; counted_ < offset; ++counted_) {
      if (source_[counted_] == '\n') {
        ++line_;
        line_begin_ = counted_ + 1;
      }
    }
    return {line_, static_cast<std::uint32_t>(offset - line_begin_ + 1)};
  }

  void Add(Token::Kind kind, SourcePosition position, std::string text) {
    tokens_.push_back({kind, position, std::move(text)});
  }

  static bool IsTagStart(std::string_view rest) {
    return rest.size() >= 2 && rest[0] == '{' &&
           (rest[1] == '{' || rest[1] == '%' || rest[1] == '#');
  }

  std::size_t FindTag(std::size_t from) const {
    for (std::size_t i = source_.find('{', from); i != std::string_view::npos;
         i = source_.find('{', i + 1)) {
      if (IsTagStart(source_.substr(i))) return i;
    }
    return source_.size();
  }

  // The text before a tag: '-' takes all space before the tag, and a block or comment without '+'
  // the spaces since the start of its line if there is nothing else on it.
  std::string_view StripBeforeTag(std::string_view text, std::size_t tag) const {
    const char sign = tag + 2 < source_.size() ? source_[tag + 2] : '\0';
    if (sign == '-') {
      while (!text.empty() && IsSpace(text.back())) text.remove_suffix(1);
      return text;
    }
    if (sign == '+' || source_[tag + 1] == '{') return text;
    const std::size_t newline = text.rfind('\n');
    if (newline == std::string_view::npos && !at_line_start_) return text;
    const std::size_t line = newline == std::string_view::npos ? 0 : newline + 1;
    const bool blank =
        std::all_of(text.begin() + static_cast<std::ptrdiff_t>(line), text.end(), IsSpace);
    return blank ? text.substr(0, line) : text;
  }

  // `at_` is behind the two characters that close a tag: skips the white space that the tag
  // removes.
  void SkipAfterTag(char sign, bool takes_newline) {
    const std::size_t begin = at_;
    if (sign == '-') {
      while (at_ < source_.size() && IsSpace(source_[at_])) ++at_;
    } else if (sign != '+' && takes_newline && at_ < source_.size() && source_[at_] == '\n') {
      ++at_;
    }
    at_line_start_ = at_ > begin && source_[at_ - 1] == '\n';
  }

  Status ReadText() {
    const std::size_t tag = FindTag(at_);
    std::string_view text = source_.substr(at_, tag - at_);
    if (tag < source_.size()) text = StripBeforeTag(text, tag);
    if (!text.empty()) Add(Token::Kind::kText, Position(at_), std::string(text));
    at_ = tag;
    return OkStatus();
  }

  Status SkipComment() {
    const SourcePosition position = Position(at_);
    const std::size_t end = source_.find("#}", at_ + 2);
    if (end == std::string_view::npos) return ErrorAt(position, "comment without \"#}\"");
    const char sign = end > at_ + 2 ? source_[end - 1] : '\0';
    at_ = end + 2;
    SkipAfterTag(sign, true);
    return OkStatus();
  }

  // Reads "{%- NAME -%}" at `offset`; npos when something else stands there.
  std::size_t MatchBareBlock(std::size_t offset, std::string_view name, char* sign) const {
    std::size_t i = offset + 2;
    const auto skip_spaces = [&] {
      while (i < source_.size() && IsSpace(source_[i])) ++i;
    };
    if (i < source_.size() && (source_[i] == '-' || source_[i] == '+')) ++i;
    skip_spaces();
    if (source_.substr(i, name.size()) != name) return std::string_view::npos;
    i += name.size();
    skip_spaces();
    *sign = '\0';
    if (i < source_.size() && (source_[i] == '-' || source_[i] == '+')) *sign = source_[i++];
    return source_.substr(i, 2) == "%}" ? i + 2 : std::string_view::npos;
  }

  bool AtRaw() const {
    char sign = 0;
    return MatchBareBlock(at_, "raw", &sign) != std::string_view::npos;
  }

  Status ReadRaw() {
    const SourcePosition position = Position(at_);
    char sign = 0;
    at_ = MatchBareBlock(at_, "raw", &sign);
    SkipAfterTag(sign, true);
    for (std::size_t i = source_.find("{%", at_); i != std::string_view::npos;
         i = source_.find("{%", i + 1)) {
      const std::size_t end = MatchBareBlock(i, "endraw", &sign);
      if (end == std::string_view::npos) continue;
      const std::string_view text = StripBeforeTag(source_.substr(at_, i - at_), i);
      if (!text.empty()) Add(Token::Kind::kText, Position(at_), std::string(text));
      at_ = end;
      SkipAfterTag(sign, true);
      return OkStatus();
    }
    return ErrorAt(position, "{% raw %} without {% endraw %}");
  }

  Status ReadTag(bool is_block) {
    const SourcePosition position = Position(at_);
    const std::string_view close = is_block ? "%}" : "}}";
    Add(is_block ? Token::Kind::kBlockBegin : Token::Kind::kOutputBegin, position,
        is_block ? "{%" : "{{");
    at_ += 2;
    if (at_ < source_.size() && (source_[at_] == '-' || source_[at_] == '+')) ++at_;
    std::size_t open_brackets = 0;
    while (true) {
      while (at_ < source_.size() && IsSpace(source_[at_])) ++at_;
      if (at_ >= source_.size()) {
        return ErrorAt(position, "tag without \"" + std::string(close) + "\"");
      }
      if (open_brackets == 0) {
        const bool has_sign = source_[at_] == '-' || (is_block && source_[at_] == '+');
        const std::size_t end = at_ + (has_sign ? 1 : 0);
        if (source_.substr(end, 2) == close) {
          Add(is_block ? Token::Kind::kBlockEnd : Token::Kind::kOutputEnd, Position(at_),
              std::string(close));
          const char sign = has_sign ? source_[at_] : '\0';
          at_ = end + 2;
          SkipAfterTag(sign, is_block);
          return OkStatus();
        }
      }
      EDGEMOE_RETURN_IF_ERROR(ReadToken(&open_brackets));
    }
  }

  Status ReadToken(std::size_t* open_brackets) {
    const SourcePosition position = Position(at_);
    const char c = source_[at_];
    if (c == '\'' || c == '"') return ReadString(position, c);
    if (IsDigit(c)) return ReadNumber(position);
    if (IsNameStart(c)) {
      const std::size_t begin = at_;
      while (at_ < source_.size() && IsNameChar(source_[at_])) ++at_;
      Add(Token::Kind::kName, position, std::string(source_.substr(begin, at_ - begin)));
      return OkStatus();
    }
    for (const std::string_view op : kOperators) {
      if (source_.substr(at_, op.size()) != op) continue;
      if (op == "(" || op == "[" || op == "{") ++*open_brackets;
      if ((op == ")" || op == "]" || op == "}") && *open_brackets > 0) --*open_brackets;
      at_ += op.size();
      Add(Token::Kind::kOperator, position, std::string(op));
      return OkStatus();
    }
    const Utf8Character found = DecodeUtf8(source_, at_);
    return ErrorAt(position, "unexpected character \"" +
                                 std::string(source_.substr(at_, found.bytes)) + "\" in a tag");
  }

  // "0x1F", "0o17" and "0b11", with "_" between digits.
  bool ReadPrefixedNumber(SourcePosition position) {
    if (source_[at_] != '0' || at_ + 2 >= source_.size()) return false;
    const char letter = static_cast<char>(source_[at_ + 1] | 0x20);
    const int base = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 0;
    std::size_t end = at_ + 2;
    std::string digits;
    for (; base != 0 && end < source_.size(); ++end) {
      if (source_[end] == '_') continue;
      const int digit = HexValue(source_[end]);
      if (digit < 0 || digit >= base) break;
      digits += source_[end];
    }
    if (digits.empty()) return false;
    std::uint64_t value = 0;
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
    // One that does not fit stays one that does not.
    Add(Token::Kind::kInteger, position,
        parsed.ec == std::errc() ? std::to_string(value) : std::string(30, '9'));
    at_ = end;
    return true;
  }

  Status ReadNumber(SourcePosition position) {
    if (ReadPrefixedNumber(position)) return OkStatus();
    std::string text;
    const auto digits = [&] {
      while (at_ < source_.size() && (IsDigit(source_[at_]) || source_[at_] == '_')) {
        if (source_[at_] != '_') text.push_back(source_[at_]);
        ++at_;
      }
    };
    bool is_float = false;
    digits();
    if (at_ + 1 < source_.size() && source_[at_] == '.' && IsDigit(source_[at_ + 1])) {
      is_float = true;
      text.push_back(source_[at_++]);
      digits();
    }
    if (at_ < source_.size() && (source_[at_] == 'e' || source_[at_] == 'E')) {
      const bool has_sign =
          at_ + 1 < source_.size() && (source_[at_ + 1] == '+' || source_[at_ + 1] == '-');
      const std::size_t first = at_ + (has_sign ? 2 : 1);
      if (first < source_.size() && IsDigit(source_[first])) {
        is_float = true;
        text.push_back('e');
        if (source_[at_ + 1] == '-') text.push_back('-');
        at_ = first;
        digits();
      }
    }
    Add(is_float ? Token::Kind::kFloat : Token::Kind::kInteger, position, std::move(text));
    return OkStatus();
  }

  Status ReadString(SourcePosition position, char quote) {
    std::string text;
    for (++at_; at_ < source_.size(); ++at_) {
      const char c = source_[at_];
      if (c == quote) {
        ++at_;
        Add(Token::Kind::kString, position, std::move(text));
        return OkStatus();
      }
      if (c != '\\' || at_ + 1 >= source_.size()) {
        text.push_back(c);
        continue;
      }
      ++at_;
      ReadEscape(text);
    }
    return ErrorAt(position, "string without its closing quote");
  }

  // At the character after a backslash; leaves `at_` on the last one that belongs to the escape.
  void ReadEscape(std::string& text) {
    const char c = source_[at_];
    constexpr std::string_view kNames = "ntrbfav0\\'\"";
    constexpr std::string_view kMeanings("\n\t\r\b\f\a\v\0\\'\"", 11);
    if (const std::size_t found = kNames.find(c); found != std::string_view::npos) {
      text.push_back(kMeanings[found]);
      return;
    }
    if (c == '\n') return;  // a continued line
    const std::size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    char32_t code_point = 0;
    for (std::size_t i = 1; i <= digits; ++i) {
      const int value = at_ + i < source_.size() ? HexValue(source_[at_ + i]) : -1;
      if (value < 0) {
        text += {'\\', c};
        return;
      }
      code_point = code_point << 4 | static_cast<char32_t>(value);
    }
    if (digits == 0) {
      text += {'\\', c};
      return;
    }
    AppendUtf8(code_point, text);
    at_ += digits;
  }

  std::string_view source_;
  std::size_t at_ = 0;
  bool at_line_start_ = true;
  std::size_t counted_ = 0;  // lines are counted up to here
  std::size_t line_begin_ = 0;
  std::uint32_t line_ = 1;
  std::vector<Token> tokens_;
};

}  // namespace

Result<std::vector<Token>> Tokenize(std::string_view source) { return Lexer(source).Run(); }

Status ErrorAt(SourcePosition position, std::string_view message) {
  return InvalidArgumentError("chat template, line " + std::to_string(position.line) + ", column " +
                              std::to_string(position.column) + ": " + std::string(message));
}

}  // namespace edgemoe::jinja
