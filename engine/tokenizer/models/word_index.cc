// SPDX-License-Identifier: Apache-2.0
#include "engine/tokenizer/models/word_index.h"

#include <algorithm>
#include <bit>
#include <functional>

namespace edgemoe {

WordIndex::WordIndex(const TokenTable& table, bool newlines_only) : table_(&table) {
  std::vector<TokenId> tokens;
  for (std::size_t id = 0; id < table.size(); ++id) {
    const TokenId token{static_cast<std::int32_t>(id)};
    const std::string_view bytes = table.Bytes(token);
    if (bytes.empty() || IsMarkup(table.type(token)) || table.type(token) == TokenType::kByte)
      continue;
    if (newlines_only && bytes.find_first_not_of('\n') != std::string_view::npos) continue;
    tokens.push_back(token);
  }
  places_.assign(std::bit_ceil(std::max<std::size_t>(tokens.size(), 1) * 2), -1);
  for (const TokenId token : tokens) places_[PlaceOf(table.Bytes(token))] = token.value;
}

std::optional<TokenId> WordIndex::Find(std::string_view word) const {
  const std::int32_t found = places_[PlaceOf(word)];
  if (found < 0) return std::nullopt;
  return TokenId{found};
}

// Where it stands, or the empty place where it would.
std::size_t WordIndex::PlaceOf(std::string_view word) const {
  const std::size_t mask = places_.size() - 1;
  std::size_t place = std::hash<std::string_view>()(word) & mask;
  while (places_[place] >= 0 && table_->Bytes(TokenId{places_[place]}) != word)
    place = (place + 1) & mask;
  return place;
}

}  // namespace edgemoe
