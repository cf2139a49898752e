// SPDX-License-Identifier: Apache-2.0
#include "engine/tokenizer/models/pair_merges.h"

#include <algorithm>

#include "engine/base/accepted.h"
#include "engine/base/utf8.h"

namespace edgemoe {

namespace {

// Where the characters of `text` begin, but for the first one.
std::vector<std::size_t> BordersOf(std::string_view text) {
  std::vector<std::size_t> borders;
  for (std::size_t at = DecodeUtf8(text, 0).bytes; at < text.size();) {
    borders.push_back(at);
    at += DecodeUtf8(text, at).bytes;
  }
  return borders;
}

void InternCharacters(std::string_view text, SymbolTable& symbols) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t bytes = DecodeUtf8(text, at).bytes;
    symbols.Intern(text.substr(at, bytes));
    at += bytes;
  }
}

// By id: 0 for the highest score, the same for equal ones.
std::vector<std::uint32_t> RanksOf(std::span<const float> scores) {
  std::vector<float> descending(scores.begin(), scores.end());
  std::sort(descending.begin(), descending.end(), std::greater<>());
  descending.erase(std::unique(descending.begin(), descending.end()), descending.end());
  std::vector<std::uint32_t> ranks;
  ranks.reserve(scores.size());
  for (const float score : scores) {
    const auto place =
        std::lower_bound(descending.begin(), descending.end(), score, std::greater<>());
    ranks.push_back(static_cast<std::uint32_t>(place - descending.begin()));
  }
  return ranks;
}

}  // namespace

Result<std::vector<PairMerge>> ListedMerges(std::span<const std::string> merges,
                                            SymbolTable& symbols) {
  std::vector<PairMerge> list;
  list.reserve(merges.size());
  std::string joined;
  for (std::size_t rank = 0; rank < merges.size(); ++rank) {
    const std::string_view merge = merges[rank];
    const std::size_t space = merge.find(' ', 1);
    if (space == std::string_view::npos || space + 1 == merge.size()) {
      return Failure(InvalidArgumentError("tokenizer.ggml.merges[" + ShowValue(rank) +
                                          "]: " + ShowValue(merge, 64) +
                                          " is not two texts with a space between"));
    }
    const std::string_view left = merge.substr(0, space);
    const std::string_view right = merge.substr(space + 1);
    joined.assign(left).append(right);
    list.push_back({symbols.Intern(left), symbols.Intern(right), static_cast<std::uint32_t>(rank),
                    symbols.Intern(joined)});
  }
  return list;
}

std::vector<PairMerge> ScoredMerges(std::span<const std::string_view> tokens,
                                    std::span<const float> scores, SymbolTable& symbols) {
  for (const std::string_view token : tokens) InternCharacters(token, symbols);
  const std::vector<std::uint32_t> ranks = RanksOf(scores);
  std::vector<PairMerge> list;
  for (std::size_t id = 0; id < tokens.size(); ++id) {
    const std::string_view token = tokens[id];
    if (token.empty()) continue;
    for (const std::size_t border : BordersOf(token)) {
      const auto left = symbols.Find(token.substr(0, border));
      const auto right = left ? symbols.Find(token.substr(border)) : std::nullopt;
      if (right) list.push_back({*left, *right, ranks[id], static_cast<std::int32_t>(id)});
    }
  }
  return list;
}

}  // namespace edgemoe
