// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "engine/base/ids.h"
#include "engine/base/status.h"
#include "engine/tokenizer/models/text_model.h"
#include "engine/tokenizer/models/token_table.h"
#include "engine/tokenizer/vocabulary_description.h"

namespace edgemoe {

// What becomes of characters that are in no token: their bytes. Immutable and thread-safe.
class ByteFallback {
 public:
  ByteFallback(const VocabularyDescription& description, TokenWriting writing,
               std::optional<TokenId> unknown);

  // Appends the tokens of the bytes of `range`; a character of which one has none is the unknown
  // token once. INVALID_ARGUMENT where there is no unknown token.
  Status Add(std::string_view text, TextRange range, std::vector<Piece>& pieces) const;

  std::optional<TokenId> TokenOf(char byte) const {
    return tokens_[static_cast<unsigned char>(byte)];
  }

 private:
  std::size_t FindMissing(std::string_view text, TextRange range) const;

  TokenWriting writing_;
  std::array<std::optional<TokenId>, 256> tokens_{};
  std::optional<TokenId> unknown_;
};

}  // namespace edgemoe
