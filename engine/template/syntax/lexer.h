// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/template/syntax/syntax.h"

namespace edgemoe::jinja {

struct Token {
  enum class Kind : std::uint8_t {
    kText,
    kOutputBegin,
    kOutputEnd,
    kBlockBegin,
    kBlockEnd,
    kName,
    kString,
    kInteger,
    kFloat,
    kOperator,
    kEnd,
  };
  Kind kind = Kind::kEnd;
  SourcePosition position;
  std::string text;  // of a string: what it stands for
};

// Splits a template into text and the tokens of its tags, with trim_blocks and lstrip_blocks on, as
// the models' own library renders: a block tag takes the newline after it and the indentation
// before it. Comments and {% raw %} are resolved here. The last token is kEnd. INVALID_ARGUMENT
// names line and column.
Result<std::vector<Token>> Tokenize(std::string_view source);

// "chat template, line 3, column 14: message", INVALID_ARGUMENT.
Status ErrorAt(SourcePosition position, std::string_view message);

}  // namespace edgemoe::jinja
