// SPDX-License-Identifier: Apache-2.0
#include "engine/tokenizer/special_tokens.h"

#include <algorithm>
#include <map>
#include <queue>

namespace edgemoe {

SpecialTokens::SpecialTokens(std::vector<Entry> entries) : entries_(std::move(entries)) {
  std::stable_sort(entries_.begin(), entries_.end(),
                   [](const Entry& a, const Entry& b) { return a.text < b.text; });
  entries_.erase(std::unique(entries_.begin(), entries_.end(),
                             [](const Entry& a, const Entry& b) { return a.text == b.text; }),
                 entries_.end());
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    auto& range = by_first_byte_[static_cast<unsigned char>(entries_[i].text.front())];
    if (range.second == 0) range.first = i;
    range.second = i + 1;
  }
}

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
  if (text.empty()) return nullptr;
  const Entry* longest = nullptr;
  auto [low, high] = by_first_byte_[static_cast<unsigned char>(text.front())];
  // Narrows [low, high) to the entries that share `depth` bytes with the text.
  for (std::size_t depth = 1; low < high; ++depth) {
    if (entries_[low].text.size() == depth) {
      if (parse_markup || !entries_[low].is_markup) longest = &entries_[low];
      if (++low == high) break;
    }
    if (depth >= text.size()) break;
    const auto wanted = static_cast<unsigned char>(text[depth]);
    const auto at = entries_.begin();
    const auto first = std::partition_point(
        at + static_cast<std::ptrdiff_t>(low), at + static_cast<std::ptrdiff_t>(high),
        [&](const Entry& e) { return static_cast<unsigned char>(e.text[depth]) < wanted; });
    const auto last = std::partition_point(
        first, at + static_cast<std::ptrdiff_t>(high),
        [&](const Entry& e) { return static_cast<unsigned char>(e.text[depth]) <= wanted; });
    low = static_cast<std::size_t>(first - at);
    high = static_cast<std::size_t>(last - at);
  }
  return longest;
}

}  // namespace edgemoe
