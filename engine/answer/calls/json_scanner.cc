// SPDX-License-Identifier: Apache-2.0
#include "engine/answer/calls/json_scanner.h"

#include <utility>

namespace edgemoe {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
constexpr std::string_view kHexDigits = "0123456789abcdef";

}  // namespace

ReadStep JsonScanner::Push(char byte) {
  const std::size_t depth_before = open_.size();
  const bool was_value = depth_before == 1 && (state_ == State::kWord || state_ >= State::kMinus) &&
                         state_ != State::kEnd;
  place_ = Place::kBetween;
  value_ended_ = false;

  bool taken = false;
  switch (state_) {
    case State::kText:
    case State::kEscape:
    case State::kHex:
      taken = Text(byte);
      if (depth_before >= 1) place_ = Place::kValue;
      if (depth_before == 1 && text_is_key_) place_ = Place::kKey;
      value_ended_ = depth_before == 1 && !text_is_key_ && state_ == State::kAfterValue;
      return taken ? ReadStep::kMore : ReadStep::kFailed;
    case State::kWord:
      if (word_.front() != byte) return ReadStep::kFailed;
      word_.remove_prefix(1);
      if (word_.empty()) state_ = State::kAfterValue;
      place_ = Place::kValue;
      value_ended_ = depth_before == 1 && word_.empty();
      return ReadStep::kMore;
    case State::kMinus:
    case State::kZero:
    case State::kDigits:
    case State::kPoint:
    case State::kFraction:
    case State::kExponent:
    case State::kExponentSign:
    case State::kExponentDigits:
      if (Number(byte)) {
        place_ = Place::kValue;
        return ReadStep::kMore;
      }
      if (!number_complete()) return ReadStep::kFailed;
      state_ = State::kAfterValue;
      value_ended_ = was_value;
      break;
    default: break;
  }
  if (!Structure(byte)) return ReadStep::kFailed;
  if (depth_before >= 2) {
    place_ = Place::kValue;
    value_ended_ = open_.size() == 1;
  } else if (depth_before == 1 && state_ == State::kText) {
    place_ = text_is_key_ ? Place::kKey : Place::kValue;
  } else if (depth_before == 1 &&
             (open_.size() == 2 || state_ == State::kWord || state_ >= State::kMinus) &&
             state_ != State::kEnd) {
    place_ = Place::kValue;
  }
  return state_ == State::kEnd ? ReadStep::kDone : ReadStep::kMore;
}

bool JsonScanner::Structure(char byte) {
  if (IsCallSpace(byte)) return true;
  switch (state_) {
    case State::kStart: return (byte == '{' || byte == '[') && BeginValue(byte);
    case State::kValue: return BeginValue(byte);
    case State::kFirstElement: return byte == ']' ? Close(byte) : BeginValue(byte);
    case State::kFirstKey:
      if (byte == '}') return Close(byte);
      [[fallthrough]];
    case State::kKey:
      if (byte != '"') return false;
      text_is_key_ = true;
      state_ = State::kText;
      return true;
    case State::kColon: state_ = State::kValue; return byte == ':';
    case State::kAfterValue:
      if (byte != ',') return Close(byte);
      state_ = open_.back() == '{' ? State::kKey : State::kValue;
      return true;
    default: return false;
  }
}

bool JsonScanner::BeginValue(char byte) {
  switch (byte) {
    case '{':
    case '[':
      if (open_.size() == kArgumentDepthMax) return false;
      open_.push_back(byte);
      state_ = byte == '{' ? State::kFirstKey : State::kFirstElement;
      return true;
    case '"':
      text_is_key_ = false;
      state_ = State::kText;
      return true;
    case '-': state_ = State::kMinus; return true;
    case 't': word_ = "rue"; break;
    case 'f': word_ = "alse"; break;
    case 'n': word_ = "ull"; break;
    default:
      if (!IsDigit(byte)) return false;
      state_ = byte == '0' ? State::kZero : State::kDigits;
      return true;
  }
  state_ = State::kWord;
  return true;
}

bool JsonScanner::Close(char byte) {
  if (open_.empty() || byte != (open_.back() == '{' ? '}' : ']')) return false;
  open_.pop_back();
  state_ = open_.empty() ? State::kEnd : State::kAfterValue;
  return true;
}

bool JsonScanner::Text(char byte) {
  if (static_cast<unsigned char>(byte) < 0x20) return false;
  if (state_ == State::kHex) {
    const std::size_t digit = kHexDigits.find(static_cast<char>(byte | 0x20));
    if (digit == std::string_view::npos) return false;
    unit_ = unit_ * 16 + static_cast<std::uint32_t>(digit);
    return --hex_left_ > 0 || EndUnit();
  }
  if (half_pair_ && byte != (state_ == State::kEscape ? 'u' : '\\')) return false;
  if (state_ == State::kEscape) {
    if (byte == 'u') {
      hex_left_ = 4;
      unit_ = 0;
      state_ = State::kHex;
      return true;
    }
    state_ = State::kText;
    return std::string_view("\"\\/bfnrt").find(byte) != std::string_view::npos;
  }
  if (byte == '\\') state_ = State::kEscape;
  if (byte == '"') state_ = text_is_key_ ? State::kColon : State::kAfterValue;
  return true;
}

// Of UTF-16: one half of a pair is no character.
bool JsonScanner::EndUnit() {
  state_ = State::kText;
  const bool high = unit_ >= 0xD800 && unit_ < 0xDC00;
  const bool low = unit_ >= 0xDC00 && unit_ < 0xE000;
  return low == std::exchange(half_pair_, high);
}

bool JsonScanner::Number(char byte) {
  const bool digit = IsDigit(byte);
  switch (state_) {
    case State::kMinus:
      if (digit) state_ = byte == '0' ? State::kZero : State::kDigits;
      return digit;
    case State::kZero:
    case State::kDigits:
      if (digit) return state_ == State::kDigits;
      [[fallthrough]];
    case State::kFraction:
      if (digit) return true;
      if (byte == '.' && state_ != State::kFraction) {
        state_ = State::kPoint;
        return true;
      }
      if (byte != 'e' && byte != 'E') return false;
      state_ = State::kExponent;
      return true;
    case State::kPoint: state_ = digit ? State::kFraction : state_; return digit;
    case State::kExponent:
      if (byte == '+' || byte == '-') {
        state_ = State::kExponentSign;
        return true;
      }
      [[fallthrough]];
    case State::kExponentSign: state_ = digit ? State::kExponentDigits : state_; return digit;
    default: return digit;
  }
}

bool JsonScanner::number_complete() const {
  return state_ == State::kZero || state_ == State::kDigits || state_ == State::kFraction ||
         state_ == State::kExponentDigits;
}

}  // namespace edgemoe
