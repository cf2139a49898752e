// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/tokenizer/models/character_pairs.h"
#include "engine/tokenizer/models/text_model.h"
#include "engine/tokenizer/models/text_normalizer.h"
#include "engine/tokenizer/models/token_table.h"
#include "engine/tokenizer/vocabulary_description.h"
#include "engine/tokenizer/words/sorted_texts.h"

namespace edgemoe {

// SentencePiece's unigram vocabularies: of all ways to take a stretch apart into tokens, the one
// with the highest sum of scores. Characters are replaced first (text_normalizer.h), and spaces are
// put before a stretch, or merged, as the file says. A character that is in no token becomes the
// unknown token, several in a row become one.
class UnigramModel final : public TextModel {
 public:
  struct Spaces {
    bool is_put_before = false;  // a stretch
    bool are_merged = false;     // those at the ends of a stretch go
  };

  // `table` is of the description. INVALID_ARGUMENT names the key. REQUIRES: a finite score a
  // token.
  static Result<std::unique_ptr<TextModel>> Create(const VocabularyDescription& description,
                                                   const TokenTable& table, Spaces spaces,
                                                   std::optional<TokenId> unknown);

  // Time is linear in the text, times the longest token that the text holds a prefix of.
  std::unique_ptr<StretchPieces> Start(std::string_view text, TextRange stretch) const override;

 private:
  class Pieces;
  struct ScoredToken {
    TokenId token;
    double score;
  };

  UnigramModel(const std::vector<std::string>& texts, std::vector<ScoredToken> tokens,
               TextNormalizer normalizer);
  bool IsToken(std::string_view text) const;

  SortedTexts texts_;
  std::vector<ScoredToken> tokens_;  // by index in texts_
  CharacterPairs joins_;             // in tokens
  TextNormalizer normalizer_;
  Spaces spaces_;
  TokenId unknown_{};
  double unknown_score_ = 0;
};

}  // namespace edgemoe
