// SPDX-License-Identifier: Apache-2.0
//
// Embedding and output of a model whose greedy answer is one long cycle through the vocabulary, so
// that every engine is given the same work, which never repeats. The output's row of a token is the
// embedding of the token before it in the cycle: a residual stream that is still mostly its token's
// embedding answers with the next one.
//
// Tokens belong to topics, and the cycle stays with one for some tokens before it goes to another.
// A token's embedding is in part its topic's, in part its own. Routers see the one in the other:
// tokens of a topic share experts, as those of a text do, and no two have the same.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/base/ids.h"

namespace edgemoe {

constexpr std::uint32_t kTopicCount = 64;
constexpr std::uint32_t kTopicStay = 24;  // tokens

struct TokenWalkOptions {
  std::uint32_t vocabulary_size = 0;
  std::uint32_t width = 0;
  std::vector<TokenId> outside = {};  // no topic, and never an answer: special tokens
  double topic_share = 0.5;           // of an embedding's variance
  double root_mean_square = 1;        // of an embedding
  std::uint64_t seed = 1;
};

// Thread-compatible. Memory for a few numbers a token; rows are made when they are asked for, the
// same in any order.
class TokenWalk {
 public:
  explicit TokenWalk(const TokenWalkOptions& options);

  // Of a token that is not outside.
  TokenId SuccessorOf(TokenId token) const { return successor_[Index(token)]; }

  // `row` [width].
  void EmbeddingOf(TokenId token, std::span<float> row) const;
  void OutputOf(TokenId token, std::span<float> row) const;

 private:
  static std::size_t Index(TokenId token) { return static_cast<std::size_t>(token.value); }
  bool IsOutside(TokenId token) const { return topic_[Index(token)] == kNoTopic; }

  static constexpr std::uint8_t kNoTopic = 255;

  const TokenWalkOptions options_;
  std::vector<std::uint8_t> topic_;   // [vocabulary_size]
  std::vector<TokenId> successor_;    // [vocabulary_size]; outside: itself
  std::vector<TokenId> predecessor_;  // [vocabulary_size]; outside: itself
  std::vector<float> centres_;        // [kTopicCount, width], of mean square 1
};

}  // namespace edgemoe
