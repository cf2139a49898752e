// SPDX-License-Identifier: Apache-2.0
#include "engine/tokenizer/words/special_tokens.h"

#include <algorithm>
#include <map>
#include <queue>

namespace edgemoe {

namespace {

// Of entries with the same text the first one stays.
std::vector<SpecialTokens::Entry> SortByText(std::vector<SpecialTokens::Entry> entries) {
  std::stable_sort(entries.begin(), entries.end(),
                   [](const auto& a, const auto& b) { return a.text < b.text; });
  entries.erase(std::unique(entries.begin(), entries.end(),
                            [](const auto& a, const auto& b) { return a.text == b.text; }),
                entries.end());
  return entries;
}

std::vector<std::string> TextsOf(const std::vector<SpecialTokens::Entry>& entries) {
  std::vector<std::string> texts;
  texts.reserve(entries.size());
  for (const SpecialTokens::Entry& entry : entries) texts.push_back(entry.text);
  return texts;
}

}  // namespace

SpecialTokens::SpecialTokens(std::vector<Entry> entries)
    : SpecialTokens(SortByText(std::move(entries)), Sorted()) {}

SpecialTokens::SpecialTokens(std::vector<Entry> entries, Sorted /*sorted*/)
    : texts_(TextsOf(entries)), entries_(std::move(entries)) {}

struct SpecialTokens::Candidate {
  std::size_t begin;
  const Entry* entry;
  // The heap's order: the longest one is its top, the leftmost of those.
  bool operator<(const Candidate& other) const {
    const std::size_t bytes = entry->text.size();
    const std::size_t other_bytes = other.entry->text.size();
    return bytes != other_bytes ? bytes < other_bytes : begin > other.begin;
  }
};

Result<std::optional<SpecialTokens::Match>> SpecialTokens::Matches::Next() {
  if (found_.empty()) EDGEMOE_FAIL_IF_ERROR(FindCluster());
  if (found_.empty()) return std::nullopt;
  const Match match = found_.back();
  found_.pop_back();
  return match;
}

Status SpecialTokens::Matches::FindCluster() {
  std::vector<Candidate> candidates;
  for (std::size_t begin = 0, end = 0; done_ < text_.size(); ++done_) {
    if (!candidates.empty() && done_ >= end) break;  // nothing before it overlaps what follows
    const Entry* entry = tokens_->LongestPrefix(text_.substr(done_), parse_markup_);
    if (entry == nullptr) continue;
    if (candidates.empty()) begin = done_;
    end = std::max(end, done_ + entry->text.size());
    if (end - begin > kWordBytesMax) return WordTooLong({begin, end});
    candidates.push_back({done_, entry});
  }
  found_ = tokens_->Choose(text_, parse_markup_, std::move(candidates));
  return OkStatus();
}

std::vector<SpecialTokens::Match> SpecialTokens::Choose(std::string_view text, bool parse_markup,
                                                        std::vector<Candidate> list) const {
  std::priority_queue<Candidate> candidates({}, std::move(list));
  std::map<std::size_t, Match> taken;  // by begin
  while (!candidates.empty()) {
    const Candidate candidate = candidates.top();
    candidates.pop();
    const TextRange range{candidate.begin, candidate.begin + candidate.entry->text.size()};
    const auto after = taken.lower_bound(range.begin);
    if (after != taken.begin() && std::prev(after)->second.range.end > range.begin) continue;
    if (after == taken.end() || after->first >= range.end) {
      taken.emplace_hint(after, range.begin, Match{range, candidate.entry->token});
      continue;
    }
    // A longer one has taken the end: what fits before it?
    const Entry* shorter =
        LongestPrefix(text.substr(range.begin, after->first - range.begin), parse_markup);
    if (shorter != nullptr) candidates.push({range.begin, shorter});
  }
  std::vector<Match> matches;
  matches.reserve(taken.size());
  for (auto last = taken.rbegin(); last != taken.rend(); ++last) matches.push_back(last->second);
  return matches;
}

const SpecialTokens::Entry* SpecialTokens::LongestPrefix(std::string_view text,
                                                         bool parse_markup) const {
  const Entry* longest = nullptr;
  SortedTexts::Walk walk(texts_);
  for (const char byte : text) {
    if (!walk.Step(static_cast<unsigned char>(byte))) break;
    const std::optional<std::size_t> here = walk.Here();
    if (here && (parse_markup || !entries_[*here].is_markup)) longest = &entries_[*here];
  }
  return longest;
}

}  // namespace edgemoe
