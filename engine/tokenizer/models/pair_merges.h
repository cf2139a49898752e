// SPDX-License-Identifier: Apache-2.0
//
// The two ways in which vocabularies say what merging does: a list of merges, or a score for each
// token.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/tokenizer/models/symbol_table.h"

namespace edgemoe {

// Two symbols become a third.
struct PairMerge {
  std::int32_t left = 0;
  std::int32_t right = 0;
  std::uint32_t rank = 0;  // the lowest is the most wanted
  std::int32_t result = 0;
};

// `merges` as in VocabularyDescription, in order of rank; their texts become symbols.
// INVALID_ARGUMENT names the merge that is not two texts with a space between.
Result<std::vector<PairMerge>> ListedMerges(std::span<const std::string> merges,
                                            SymbolTable& symbols);

// Tokens that take part in merging are not longer: SentencePiece makes them of at most 16
// characters, unless it is told otherwise.
constexpr std::size_t kScoredTokenBytesMax = 1024;

// Each way to put a token together from two symbols, ranked by the score of the token, the highest
// first; those of equal scores have equal ranks. `tokens`: their texts by id, empty for those that
// merging never makes, those of up to kScoredTokenBytesMax bytes; `scores` by id. The single
// characters of the tokens become symbols.
std::vector<PairMerge> ScoredMerges(std::span<const std::string_view> tokens,
                                    std::span<const float> scores, SymbolTable& symbols);

}  // namespace edgemoe
