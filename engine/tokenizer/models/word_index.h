// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "engine/base/ids.h"
#include "engine/tokenizer/models/token_table.h"

namespace edgemoe {

// Tokens by the bytes that they stand for; of equal ones the last. Markup and byte tokens are not
// among them. Immutable and thread-safe.
class WordIndex {
 public:
  // `newlines_only`: those of newlines alone. The table outlives the index.
  WordIndex(const TokenTable& table, bool newlines_only);

  std::optional<TokenId> Find(std::string_view word) const;

 private:
  std::size_t PlaceOf(std::string_view word) const;

  const TokenTable* table_;
  // Open addressing, at most half full; -1 is an empty place. The size is a power of two.
  std::vector<std::int32_t> places_;
};

}  // namespace edgemoe
