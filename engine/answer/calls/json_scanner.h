// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/answer/calls/call_reader.h"

namespace edgemoe {

// Follows one JSON object or array byte by byte: says where it ends, and at once when it is none.
// Nesting beyond kArgumentDepthMax is refused. Whether texts are UTF-8 is not looked at.
class JsonScanner {
 public:
  ReadStep Push(char byte);

  // What the last byte belongs to, seen from the outermost object or array.
  enum class Place : std::uint8_t {
    kBetween,  // white space and punctuation
    kKey,      // with its quotes
    kValue,    // of a key, or an element; with all that is inside
  };
  Place place() const { return place_; }
  // The last byte ended a value of the outermost object or array: as its own last byte, or, for
  // numbers and words, as the first one behind it (place: kBetween).
  bool value_ended() const { return value_ended_; }

 private:
  enum class State : std::uint8_t {
    kStart,
    kValue,
    kFirstElement,  // or the end of the array
    kFirstKey,      // or the end of the object
    kKey,
    kColon,
    kAfterValue,
    kText,
    kEscape,
    kHex,
    kWord,
    kMinus,
    kZero,
    kDigits,
    kPoint,
    kFraction,
    kExponent,
    kExponentSign,
    kExponentDigits,
    kEnd,
  };
  bool BeginValue(char byte);
  bool Close(char byte);
  bool Structure(char byte);
  bool Text(char byte);
  bool EndUnit();
  bool Number(char byte);
  bool number_complete() const;

  State state_ = State::kStart;
  std::string open_;  // the brackets that are open
  bool text_is_key_ = false;
  int hex_left_ = 0;        // digits of an escape
  std::uint32_t unit_ = 0;  // what they are so far
  bool half_pair_ = false;  // the last unit was a high surrogate
  std::string_view word_;   // what is still to come of true, false or null
  Place place_ = Place::kBetween;
  bool value_ended_ = false;
};

}  // namespace edgemoe
