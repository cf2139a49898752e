// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/ids.h"
#include "engine/base/result.h"
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
  // comes first in the text; among equals the one further left. Takes O(n log n) in the text, times
  // the longest token that the text holds a prefix of. RESOURCE_EXHAUSTED when tokens overlap in
  // more than kOverlapMax ways for each byte of text, as no real vocabulary's do.
  Result<std::vector<Match>> Find(std::string_view text, bool parse_markup) const;
  static constexpr std::size_t kOverlapMax = 4;

 private:
  struct Occurrence {
    std::size_t begin;  // byte of the text
    std::size_t entry;
  };

  // Every entry at every place, overlapping ones too.
  Result<std::vector<Occurrence>> FindAll(std::string_view text, bool parse_markup) const;

  std::vector<Entry> entries_;                                            // sorted by text
  std::array<std::pair<std::size_t, std::size_t>, 256> by_first_byte_{};  // range of entries_
};

}  // namespace edgemoe
