// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/answer/calls/call_reader.h"

namespace edgemoe {

enum class LiteralStyle : std::uint8_t {
  kPython,         // 'a', "a", True, None, (1, 2), {'a': 1}; JSON's words, too
  kGemma,          // <|"|>a<|"|>, true, {a:1}
  kFunctionGemma,  // <escape>a<escape>, true, {a:1}
};

// Reads one value byte by byte and writes it as JSON at once, texts too while they come. Lists and
// objects may be nested, up to kArgumentDepthMax.
class LiteralReader {
 public:
  explicit LiteralReader(LiteralStyle style);

  enum class Step : std::uint8_t {
    kMore,
    kDone,    // the byte was the value's last one
    kBefore,  // the value ended before the byte, which was not taken
    kFailed,
  };
  Step Push(char byte, std::string& json);

 private:
  enum class State : std::uint8_t {
    kValue,  // or the end of a list that has none, or the end of an object where a key could be
    kQuote,  // in the opening mark of a text
    kText,
    kEscape,
    kEscapeDigits,
    kWord,
    kBareKey,
    kColon,
    kAfterValue,
  };
  struct Bracket {
    char closing;
    bool object;
    std::uint32_t values = 0;
  };
  Step Value(char byte, std::string& json);
  Step Text(char byte, std::string& json);
  Step EndText(std::string& json);
  Step Escape(char byte, std::string& json);
  Step EndWord(std::string& json);
  Step Ended();
  Step AfterValue(char byte, std::string& json);
  void Separate(std::string& json);

  const bool python_;
  const std::string_view quote_;  // Gemma's
  State state_ = State::kValue;
  std::vector<Bracket> open_;
  bool key_next_ = false;
  bool text_is_key_ = false;
  char python_quote_ = 0;
  std::size_t quote_matched_ = 0;
  std::string word_;
  std::uint32_t code_point_ = 0;
  int digits_left_ = 0;
};

}  // namespace edgemoe
