// SPDX-License-Identifier: Apache-2.0
#include "engine/tokenizer/special_tokens.h"

#include <algorithm>
#include <map>

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

Result<std::vector<SpecialTokens::Occurrence>> SpecialTokens::FindAll(std::string_view text,
                                                                      bool parse_markup) const {
  std::vector<Occurrence> occurrences;
  for (std::size_t begin = 0; begin < text.size(); ++begin) {
    auto [low, high] = by_first_byte_[static_cast<unsigned char>(text[begin])];
    if (occurrences.size() > kOverlapMax * text.size()) {
      return Failure(ResourceExhaustedError("text: special tokens overlap too often at byte " +
                                            std::to_string(begin)));
    }
    // Narrows [low, high) to the entries that share `depth` bytes with the text.
    for (std::size_t depth = 1; low < high; ++depth) {
      if (entries_[low].text.size() == depth) {
        if (parse_markup || !entries_[low].is_markup) occurrences.push_back({begin, low});
        if (++low == high) break;
      }
      if (begin + depth >= text.size()) break;
      const auto wanted = static_cast<unsigned char>(text[begin + depth]);
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
  }
  return occurrences;
}

Result<std::vector<SpecialTokens::Match>> SpecialTokens::Find(std::string_view text,
                                                              bool parse_markup) const {
  EDGEMOE_ASSIGN_OR_FAIL(std::vector<Occurrence> occurrences, FindAll(text, parse_markup));
  std::stable_sort(occurrences.begin(), occurrences.end(),
                   [this](const Occurrence& a, const Occurrence& b) {
                     const std::size_t a_bytes = entries_[a.entry].text.size();
                     const std::size_t b_bytes = entries_[b.entry].text.size();
                     if (a_bytes != b_bytes) return a_bytes > b_bytes;
                     return a.begin < b.begin;
                   });
  std::map<std::size_t, Match> taken;  // by begin
  for (const Occurrence& occurrence : occurrences) {
    const Entry& entry = entries_[occurrence.entry];
    const TextRange range{occurrence.begin, occurrence.begin + entry.text.size()};
    const auto after = taken.lower_bound(range.begin);
    if (after != taken.end() && after->first < range.end) continue;
    if (after != taken.begin() && std::prev(after)->second.range.end > range.begin) continue;
    taken.emplace_hint(after, range.begin, Match{range, entry.token});
  }
  std::vector<Match> matches;
  matches.reserve(taken.size());
  for (const auto& [begin, match] : taken) matches.push_back(match);
  return matches;
}

}  // namespace edgemoe
