// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "engine/base/ids.h"
#include "engine/tokenizer/models/character_pairs.h"
#include "engine/tokenizer/models/pair_merges.h"
#include "engine/tokenizer/models/symbol_table.h"
#include "engine/tokenizer/models/token_table.h"

namespace edgemoe {

// Byte-pair merging of one word. A "symbol" is a piece of text that merges can form: the first
// symbols are the tokens, further ones are bytes, characters and intermediate results that are no
// token themselves. Immutable and thread-safe.
class BytePairMerger {
 public:
  struct Part {
    std::int32_t symbol;
    std::uint32_t begin;  // bytes of the word
    std::uint32_t end;
  };

  // Memory of Merge, kept between words. One for each thread.
  struct Workspace {
    struct Node {
      std::int32_t symbol;
      std::int32_t previous;
      std::int32_t next;
      std::uint32_t begin;
    };
    struct Candidate {
      std::uint32_t rank;
      std::int32_t left;  // node
      std::int32_t left_symbol;
      std::int32_t right_symbol;
    };
    std::vector<Node> nodes;
    std::vector<Candidate> queue;
    std::vector<Part> parts;
  };

  // Merging begins with the bytes of a word, as the byte alphabet writes them, or with its
  // characters, a space being U+2581. `symbols` has all of `merges`.
  BytePairMerger(SymbolTable& symbols, std::span<const PairMerge> merges, TokenWriting writing);

  // Merges neighbours, lowest rank first and leftmost among equals, until no merge applies. The
  // parts cover `word` (UTF-8 of fewer than 2^31 bytes) in order and live in `workspace` until the
  // next call; with `space_before` a space stands before the word, which is of 0 bytes in the
  // parts. O(n log n).
  std::span<const Part> Merge(std::string_view word, bool space_before, Workspace& workspace) const;

  // Whether a merge may join two characters. Where merging begins with characters, a text that is
  // cut between two that none joins gives the parts of the whole.
  bool MayJoin(char32_t left, char32_t right) const;

  // The token of a symbol; none for symbols that merges only pass through, and for characters that
  // are in no token.
  std::optional<TokenId> TokenOfSymbol(std::int32_t symbol) const {
    if (symbol < 0 || symbol >= token_count_) return std::nullopt;
    return TokenId{symbol};
  }

 private:
  struct Character {
    char32_t code_point;
    std::int32_t symbol;
  };

  void StoreStarts(SymbolTable& symbols);
  void StoreCharacters(const SymbolTable& symbols);
  void StoreJoins(const SymbolTable& symbols, std::span<const PairMerge> merges);
  void AddMerge(const PairMerge& merge);
  const PairMerge* FindMerge(std::int32_t left, std::int32_t right) const;
  std::int32_t SymbolOf(char32_t character) const;
  void StartNodes(std::string_view word, bool space_before, Workspace& workspace) const;
  void PushCandidate(std::int32_t left_node, Workspace& workspace) const;

  TokenWriting writing_;
  std::int32_t token_count_ = 0;
  std::array<std::int32_t, 256> byte_symbol_{};
  // Open addressing, at most half full, sizes powers of two. A rank of kNoRank and a symbol of
  // kNoSymbol are empty places.
  std::vector<PairMerge> merges_;
  std::vector<Character> characters_;
  CharacterPairs joins_;
};

}  // namespace edgemoe
