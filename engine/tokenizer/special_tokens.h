// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/ids.h"
#include "engine/tokenizer/pre_tokenizer.h"

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

  // Matches in order that do not overlap. Longer tokens win everywhere over shorter ones, whichever
  // comes first in the text; among equals the one further left. Memory is linear in the text and
  // time O(n log n), times the longest token that the text holds a prefix of: many tokens may
  // overlap, as the runs of 2 to 24 spaces of OLMoE's vocabulary do.
  std::vector<Match> Find(std::string_view text, bool parse_markup) const;

 private:
  // The longest entry that begins `text`.
  const Entry* LongestPrefix(std::string_view text, bool parse_markup) const;

  std::vector<Entry> entries_;                                            // sorted by text
  std::array<std::pair<std::size_t, std::size_t>, 256> by_first_byte_{};  // range of entries_
};

}  // namespace edgemoe
