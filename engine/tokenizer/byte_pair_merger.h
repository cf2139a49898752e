// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/ids.h"
#include "engine/base/result.h"

namespace edgemoe {

// Byte-pair merging of one word. A "symbol" is a piece of text that merges can form: the first
// `tokens.size()` symbols are the tokens, further ones are bytes and intermediate results that are
// no token themselves. Immutable and thread-safe.
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

  // `tokens` and `merges` as in VocabularyDescription. INVALID_ARGUMENT names the merge that is not
  // two texts with a space between.
  static Result<BytePairMerger> Create(std::span<const std::string> tokens,
                                       std::span<const std::string> merges);

  // Merges neighbours, lowest rank first and leftmost among equals, until no merge applies. The
  // parts cover `word` (fewer than 2^31 bytes) in order and live in `workspace` until the next
  // call. O(n log n).
  std::span<const Part> Merge(std::string_view word, Workspace& workspace) const;

  // The token of a symbol; none for symbols that merges only pass through.
  std::optional<TokenId> TokenOfSymbol(std::int32_t symbol) const {
    if (symbol >= token_count_) return std::nullopt;
    return TokenId{symbol};
  }
  std::optional<TokenId> TokenOfByte(std::uint8_t byte) const {
    return TokenOfSymbol(byte_symbol_[byte]);
  }

 private:
  // Open addressing, at most half full; a rank of kNoRank is an empty place.
  struct Merged {
    std::int32_t left;
    std::int32_t right;
    std::uint32_t rank;
    std::int32_t result;
  };

  BytePairMerger() = default;
  void ReserveMerges(std::size_t count);
  void AddMerge(const Merged& merge);
  const Merged* FindMerge(std::int32_t left, std::int32_t right) const;
  void PushCandidate(std::int32_t left_node, Workspace& workspace) const;

  std::int32_t token_count_ = 0;
  std::array<std::int32_t, 256> byte_symbol_{};
  std::vector<Merged> merges_;  // size is a power of two
};

}  // namespace edgemoe
