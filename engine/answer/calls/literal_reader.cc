// SPDX-License-Identifier: Apache-2.0
#include "engine/answer/calls/literal_reader.h"

#include <utility>

#include "engine/base/utf8.h"

namespace edgemoe {
namespace {

constexpr std::size_t kWordBytesMax = 64;

bool IsWordByte(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' ||
         c == '-' || c == '.' || c == '_';
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The quote that opens and closes Gemma's texts.
std::string_view QuoteOf(LiteralStyle style) {
  return style == LiteralStyle::kGemma ? "<|\"|>" : "<escape>";
}

}  // namespace

LiteralReader::LiteralReader(LiteralStyle style)
    : python_(style == LiteralStyle::kPython), quote_(QuoteOf(style)) {}

LiteralReader::Step LiteralReader::Push(char byte, std::string& json) {
  switch (state_) {
    case State::kValue: return Value(byte, json);
    case State::kQuote:
      if (byte != quote_[quote_matched_]) return Step::kFailed;
      if (++quote_matched_ < quote_.size()) return Step::kMore;
      quote_matched_ = 0;
      json += '"';
      state_ = State::kText;
      return Step::kMore;
    case State::kText: return Text(byte, json);
    case State::kEscape:
    case State::kEscapeDigits: return Escape(byte, json);
    case State::kWord: {
      if (IsWordByte(byte)) {
        word_ += byte;
        return word_.size() <= kWordBytesMax ? Step::kMore : Step::kFailed;
      }
      const Step step = EndWord(json);
      if (step == Step::kFailed) return step;
      return step == Step::kDone ? Step::kBefore : AfterValue(byte, json);
    }
    case State::kBareKey:
      if (byte != ':') {
        if (!IsCallNameByte(byte) && !IsCallSpace(byte)) return Step::kFailed;
        word_ += byte;
        return word_.size() <= kCallNameBytesMax ? Step::kMore : Step::kFailed;
      } else {
        std::string_view key = word_;
        TrimSpace(key);
        json += JsonText(key) + ": ";
        word_.clear();
      }
      state_ = State::kValue;
      key_next_ = false;
      return Step::kMore;
    case State::kColon:
      if (IsCallSpace(byte)) return Step::kMore;
      if (byte != ':') return Step::kFailed;
      json += ": ";
      state_ = State::kValue;
      key_next_ = false;
      return Step::kMore;
    case State::kAfterValue: return AfterValue(byte, json);
  }
  return Step::kFailed;
}

void LiteralReader::Separate(std::string& json) {
  if (open_.empty() || (open_.back().object && !key_next_)) return;  // the key has done it
  if (open_.back().values++ > 0) json += ", ";
}

LiteralReader::Step LiteralReader::Value(char byte, std::string& json) {
  if (IsCallSpace(byte)) return Step::kMore;
  if (!open_.empty() && byte == open_.back().closing && (key_next_ || !open_.back().object)) {
    // After a comma this is Python's, which allows one more.
    return AfterValue(byte, json);
  }
  const bool opens = byte == '{' || byte == '[' || (python_ && byte == '(');
  if (opens && key_next_) return Step::kFailed;
  if (opens) {
    if (open_.size() == kArgumentDepthMax) return Step::kFailed;
    Separate(json);
    json += byte == '{' ? '{' : '[';
    const char closing = byte == '{' ? '}' : byte == '[' ? ']' : ')';
    open_.push_back({.closing = closing, .object = byte == '{'});
    key_next_ = byte == '{';
    return Step::kMore;
  }
  const bool quote = python_ ? byte == '\'' || byte == '"' : byte == '<';
  if (quote) {
    Separate(json);
    text_is_key_ = key_next_;
    python_quote_ = byte;
    quote_matched_ = 1;
    state_ = python_ ? State::kText : State::kQuote;
    if (python_) {
      json += '"';
      quote_matched_ = 0;
    }
    return Step::kMore;
  }
  if (key_next_) {
    if (python_ || !IsCallNameByte(byte) || byte == ':') return Step::kFailed;
    Separate(json);
    word_ = byte;
    state_ = State::kBareKey;
    return Step::kMore;
  }
  if (!IsWordByte(byte)) return Step::kFailed;
  Separate(json);
  word_ = byte;
  state_ = State::kWord;
  return Step::kMore;
}

LiteralReader::Step LiteralReader::Text(char byte, std::string& json) {
  if (python_) {
    if (byte == python_quote_) return EndText(json);
    if (byte == '\\') {
      state_ = State::kEscape;
    } else {
      AppendJsonByte(byte, json);
    }
    return Step::kMore;
  }
  // The quote begins with the only '<' in it, so that a byte that does not continue it can only
  // begin another one.
  if (byte == quote_[quote_matched_]) {
    if (++quote_matched_ < quote_.size()) return Step::kMore;
    quote_matched_ = 0;
    return EndText(json);
  }
  for (const char held : quote_.substr(0, quote_matched_)) AppendJsonByte(held, json);
  quote_matched_ = byte == quote_.front() ? 1 : 0;
  if (quote_matched_ == 0) AppendJsonByte(byte, json);
  return Step::kMore;
}

LiteralReader::Step LiteralReader::EndText(std::string& json) {
  json += '"';
  if (!text_is_key_) return Ended();
  state_ = State::kColon;
  return Step::kMore;
}

LiteralReader::Step LiteralReader::Escape(char byte, std::string& json) {
  if (state_ == State::kEscapeDigits) {
    const int digit = HexDigit(byte);
    if (digit < 0) return Step::kFailed;
    code_point_ = code_point_ * 16 + static_cast<std::uint32_t>(digit);
    if (--digits_left_ > 0) return Step::kMore;
    std::string text;
    AppendUtf8(static_cast<char32_t>(code_point_), text);
    for (const char c : text) AppendJsonByte(c, json);
    state_ = State::kText;
    return Step::kMore;
  }
  state_ = State::kText;
  switch (byte) {
    case 'n': json += "\\n"; return Step::kMore;
    case 't': json += "\\t"; return Step::kMore;
    case 'r': json += "\\r"; return Step::kMore;
    case 'x':
    case 'u':
    case 'U':
      code_point_ = 0;
      digits_left_ = byte == 'x' ? 2 : byte == 'u' ? 4 : 8;
      state_ = State::kEscapeDigits;
      return Step::kMore;
    case '\\':
    case '\'':
    case '"': AppendJsonByte(byte, json); return Step::kMore;
    default:  // Python keeps the backslash of what is no escape
      json += "\\\\";
      AppendJsonByte(byte, json);
      return Step::kMore;
  }
}

LiteralReader::Step LiteralReader::EndWord(std::string& json) {
  std::string word = std::exchange(word_, {});
  if (python_ && word == "True") word = "true";
  if (python_ && word == "False") word = "false";
  if (word == "None") word = "null";  // Gemma's templates print it so, too
  if (!IsJson(word)) return Step::kFailed;
  json += word;
  return Ended();
}

LiteralReader::Step LiteralReader::Ended() {
  state_ = State::kAfterValue;
  return open_.empty() ? Step::kDone : Step::kMore;
}

LiteralReader::Step LiteralReader::AfterValue(char byte, std::string& json) {
  if (IsCallSpace(byte)) return Step::kMore;
  if (byte == open_.back().closing) {
    json += open_.back().object ? '}' : ']';
    open_.pop_back();
    return Ended();
  }
  if (byte != ',') return Step::kFailed;
  key_next_ = open_.back().object;
  state_ = State::kValue;
  return Step::kMore;
}

}  // namespace edgemoe
