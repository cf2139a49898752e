// SPDX-License-Identifier: Apache-2.0
#include "engine/base/sequence_matcher.h"

#include <algorithm>
#include <utility>

#include "engine/base/check.h"

namespace edgemoe {

SequenceMatcher::SequenceMatcher(std::vector<std::string> sequences) {
  patterns_.reserve(sequences.size());
  for (std::string& text : sequences) {
    EDGEMOE_CHECK(!text.empty(), "a sequence is empty");
    std::vector<std::size_t> border(text.size(), 0);
    for (std::size_t i = 1, length = 0; i < text.size(); ++i) {
      while (length > 0 && text[i] != text[length]) length = border[length - 1];
      if (text[i] == text[length]) ++length;
      border[i] = length;
    }
    patterns_.push_back({std::move(text), std::move(border), 0});
  }
}

void SequenceMatcher::Advance(Pattern& pattern, char byte) {
  while (pattern.matched > 0 && pattern.text[pattern.matched] != byte)
    pattern.matched = pattern.border[pattern.matched - 1];
  if (pattern.text[pattern.matched] == byte) ++pattern.matched;
}

std::optional<std::size_t> SequenceMatcher::Push(std::string_view text, std::string& out) {
  for (const char byte : text) {
    held_.push_back(byte);
    std::optional<std::size_t> found;
    for (std::size_t i = 0; i < patterns_.size(); ++i) {
      Advance(patterns_[i], byte);
      const bool complete = patterns_[i].matched == patterns_[i].text.size();
      if (complete && (!found || patterns_[i].text.size() > patterns_[*found].text.size()))
        found = i;
    }
    if (found) {
      out.append(held_, 0, held_.size() - patterns_[*found].text.size());
      held_.clear();
      BeginAnew();
      return found;
    }
  }
  std::size_t open = 0;
  for (const Pattern& pattern : patterns_) open = std::max(open, pattern.matched);
  out.append(held_, 0, held_.size() - open);
  held_.erase(0, held_.size() - open);
  return std::nullopt;
}

std::string SequenceMatcher::TakeHeld() {
  BeginAnew();
  return std::exchange(held_, {});
}

void SequenceMatcher::BeginAnew() {
  for (Pattern& pattern : patterns_) pattern.matched = 0;
}

}  // namespace edgemoe
