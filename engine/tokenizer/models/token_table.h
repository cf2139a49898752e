// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/ids.h"
#include "engine/tokenizer/vocabulary_description.h"

namespace edgemoe {

// How the file writes normal tokens.
enum class TokenWriting : std::uint8_t {
  kByteAlphabet,  // byte_alphabet.h
  kPlainText,     // plain_text.h
};

// Markup is matched in a text only where it is asked for, and stands for no text.
inline bool IsMarkup(TokenType type) {
  return type == TokenType::kControl || type == TokenType::kUnknown;
}

// What each token is and which bytes it stands for. Thread-compatible.
class TokenTable {
 public:
  // REQUIRES: types in the description are known, and as many as tokens, or none.
  TokenTable(const VocabularyDescription& description, TokenWriting writing);

  std::size_t size() const { return types_.size(); }
  // Of a token inside the table.
  TokenType type(TokenId token) const { return types_[static_cast<std::size_t>(token.value)]; }
  std::string_view Bytes(TokenId token) const {
    const auto id = static_cast<std::size_t>(token.value);
    const std::size_t begin = id == 0 ? 0 : ends_[id - 1];
    return std::string_view(bytes_).substr(begin, ends_[id] - begin);
  }
  const std::vector<TokenType>& types() const { return types_; }
  void SetType(TokenId token, TokenType type) {
    types_[static_cast<std::size_t>(token.value)] = type;
  }

 private:
  std::string bytes_;              // of all tokens, one after the other
  std::vector<std::size_t> ends_;  // where each token's bytes end in bytes_
  std::vector<TokenType> types_;   // by id
};

}  // namespace edgemoe
