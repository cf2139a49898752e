// SPDX-License-Identifier: Apache-2.0
#include "engine/tokenizer/models/token_table.h"

#include "engine/tokenizer/models/byte_alphabet.h"
#include "engine/tokenizer/models/plain_text.h"

namespace edgemoe {

namespace {

std::string BytesOf(const std::string& text, TokenType type, TokenWriting writing) {
  switch (type) {
    case TokenType::kNormal:
    case TokenType::kUnused:
      return writing == TokenWriting::kPlainText ? ReplaceSpaceMarks(text) : DecodeAlphabet(text);
    case TokenType::kByte:
      if (const auto byte = ByteOfTokenText(text)) return {static_cast<char>(*byte)};
      return text;
    case TokenType::kUnknown:
    case TokenType::kControl:
    case TokenType::kUserDefined: break;
  }
  return text;
}

}  // namespace

TokenTable::TokenTable(const VocabularyDescription& description, TokenWriting writing) {
  const std::size_t count = description.tokens.size();
  types_.reserve(count);
  ends_.reserve(count);
  for (std::size_t id = 0; id < count; ++id) {
    const std::int32_t type = description.token_type.empty() ? 0 : description.token_type[id];
    types_.push_back(type == 0 ? TokenType::kNormal : static_cast<TokenType>(type));
    bytes_ += BytesOf(description.tokens[id], types_.back(), writing);
    ends_.push_back(bytes_.size());
  }
}

}  // namespace edgemoe
