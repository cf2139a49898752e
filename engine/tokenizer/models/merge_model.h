// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "engine/base/result.h"
#include "engine/tokenizer/models/byte_fallback.h"
#include "engine/tokenizer/models/byte_pair_merger.h"
#include "engine/tokenizer/models/text_model.h"
#include "engine/tokenizer/models/word_index.h"
#include "engine/tokenizer/vocabulary_description.h"
#include "engine/tokenizer/words/pre_tokenizer.h"

namespace edgemoe {

// Vocabularies whose tokens come of merging neighbours: by a list of merges inside the words that
// regular expressions cut, or, as SentencePiece does, by scores in the whole stretch.
class MergeModel final : public TextModel {
 public:
  // `table` is of the description and outlives the model; it is in plain text where the
  // pre-tokenizer says so. INVALID_ARGUMENT names the key.
  static Result<std::unique_ptr<TextModel>> CreateListed(
      const VocabularyDescription& description, const TokenTable& table,
      std::unique_ptr<PreTokenizer> pre_tokenizer, std::optional<TokenId> unknown);
  // `space_before`: each stretch has a space put before it. REQUIRES: a finite score a token.
  static Result<std::unique_ptr<TextModel>> CreateScored(const VocabularyDescription& description,
                                                         const TokenTable& table, bool space_before,
                                                         std::optional<TokenId> unknown);

  std::unique_ptr<StretchPieces> Start(std::string_view text, TextRange stretch) const override;

 private:
  class Pieces;
  MergeModel(BytePairMerger merger, const ByteFallback& fallback, TokenWriting writing)
      : merger_(std::move(merger)), fallback_(fallback), writing_(writing) {}

  BytePairMerger merger_;
  ByteFallback fallback_;
  TokenWriting writing_;
  std::unique_ptr<PreTokenizer> pre_tokenizer_;  // null: the stretch is one word
  std::optional<WordIndex> whole_words_;
  bool space_before_ = false;
};

}  // namespace edgemoe
