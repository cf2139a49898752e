// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace edgemoe {

// Looks for sequences in a text that comes in pieces, and lets through only what can no longer
// become part of one. The result does not depend on where the pieces end: the text stops at the
// first byte that completes a sequence; of several completed there, the longest counts.
//
// Holds back fewer bytes than the longest sequence. Cost: linear in the text, times the number of
// sequences. When text and sequences are UTF-8 and pieces are whole characters, so is the output.
class SequenceMatcher {
 public:
  // REQUIRES: no sequence is empty.
  explicit SequenceMatcher(std::vector<std::string> sequences);

  // Appends to `out` the text that can no longer become part of a sequence. Gives the index of the
  // sequence that matched, if one did: all text before the match is then in `out`, nothing is held
  // back, and the rest of `text` was not looked at. The next Push begins anew.
  std::optional<std::size_t> Push(std::string_view text, std::string& out);

  // Gives what is held back, when the text ends without a match; begins anew.
  std::string TakeHeld();
  bool holds() const { return !held_.empty(); }

  const std::string& sequence(std::size_t index) const { return patterns_[index].text; }

 private:
  // Knuth-Morris-Pratt, one automaton a sequence.
  struct Pattern {
    std::string text;
    std::vector<std::size_t> border;  // [text.size()], longest proper border of text[0..i]
    std::size_t matched = 0;          // longest prefix that the text now ends in
  };
  static void Advance(Pattern& pattern, char byte);
  void BeginAnew();

  std::vector<Pattern> patterns_;
  std::string held_;
};

}  // namespace edgemoe
