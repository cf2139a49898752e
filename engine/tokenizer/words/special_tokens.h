// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/ids.h"
#include "engine/base/result.h"
#include "engine/tokenizer/words/sorted_texts.h"
#include "engine/tokenizer/words/text_range.h"

namespace edgemoe {

// Finds tokens that are written out in the text, such as <|im_start|>, before it is split into
// words. Immutable and thread-safe.
class SpecialTokens {
 public:
  struct Entry {
    std::string text;  // not empty
    TokenId token;
    bool is_markup;  // control or unknown: only matched when the caller parses special tokens
  };
  struct Match {
    TextRange range;
    TokenId token;
  };

  explicit SpecialTokens(std::vector<Entry> entries);

  // The matches in one text, in order, without overlaps. Both outlive the object. Longer tokens win
  // everywhere over shorter ones, whichever comes first in the text; among equals the one further
  // left. Time is O(n log n), times the longest token that the text holds a prefix of, and memory
  // linear, in n bytes that overlapping tokens cover, as the runs of 2 to 24 spaces of OLMoE's
  // vocabulary do.
  class Matches {
   public:
    Matches(const SpecialTokens& tokens, std::string_view text, bool parse_markup)
        : tokens_(&tokens), text_(text), parse_markup_(parse_markup) {}

    // None at the end. INVALID_ARGUMENT when overlapping tokens cover more than kWordBytesMax.
    Result<std::optional<Match>> Next();

   private:
    Status FindCluster();

    const SpecialTokens* tokens_;
    std::string_view text_;
    bool parse_markup_;
    std::size_t done_ = 0;  // bytes that have been looked at
    // Of tokens that overlap, and of nothing else: in reverse order.
    std::vector<Match> found_;
  };

 private:
  struct Candidate;
  struct Sorted {};
  SpecialTokens(std::vector<Entry> entries, Sorted);
  // Which of the candidates hold, the last one first.
  std::vector<Match> Choose(std::string_view text, bool parse_markup,
                            std::vector<Candidate> candidates) const;
  // The longest entry that begins `text`.
  const Entry* LongestPrefix(std::string_view text, bool parse_markup) const;

  SortedTexts texts_;
  std::vector<Entry> entries_;  // by index in texts_
};

}  // namespace edgemoe
