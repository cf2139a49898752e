// SPDX-License-Identifier: Apache-2.0
//
// Embedding and output of a model whose greedy answer is one long cycle through the vocabulary, so
// that every engine is given the same work, which never repeats. The output's row of a token is the
// embedding of the token before it in the cycle: a residual stream that is still mostly its token's
// embedding answers with the next one.
//
// Tokens belong to topics, and the cycle stays with one for some tokens before it goes to another.
// A token's embedding is in part its topic's, in part its own. Routers see the one in the other:
// tokens of a topic share experts, as those of a text do, and no two have the same. A token's own
// part is put together from segments, of each of which there are a few variants: so that a whole
// vocabulary is encoded in seconds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/base/ids.h"
#include "engine/quant/tensor_type.h"

namespace edgemoe {

constexpr std::uint32_t kTopicCount = 64;
constexpr std::uint32_t kTopicStay = 24;  // tokens
constexpr std::uint32_t kSegmentWeights = 256;
constexpr std::uint32_t kSegmentVariants = 32;

struct TokenWalkOptions {
  std::uint32_t vocabulary_size = 0;
  std::uint32_t width = 0;
  std::vector<TokenId> outside = {};  // no topic, and never an answer: special tokens
  double topic_share = 0.5;           // of an embedding's variance
  double root_mean_square = 1;        // of an embedding
  double output_scale = 1;            // of the output's rows, beside embeddings
  std::uint64_t seed = 1;
};

// Thread-compatible. Memory for a few numbers a token, and a row for each topic and variant.
class TokenWalk {
 public:
  explicit TokenWalk(const TokenWalkOptions& options);

  // Of a token outside: itself, as is the predecessor.
  TokenId SuccessorOf(TokenId token) const { return successor_[Index(token)]; }
  TokenId PredecessorOf(TokenId token) const { return predecessor_[Index(token)]; }

  // In [0, kTopicCount]; kTopicCount: outside.
  std::uint32_t TopicOf(TokenId token) const { return topic_[Index(token)]; }
  // Of each segment of the token's embedding, in [0, kSegmentVariants).
  std::vector<std::uint32_t> VariantsOf(TokenId token) const;
  // An embedding of the topic with one variant in all its segments. `row` [width].
  void MakeRow(std::uint32_t topic, std::uint32_t variant, std::span<float> row) const;
  double output_scale() const { return options_.output_scale; }

 private:
  static std::size_t Index(TokenId token) { return static_cast<std::size_t>(token.value); }

  const TokenWalkOptions options_;
  std::vector<std::uint8_t> topic_;   // [vocabulary_size]
  std::vector<TokenId> successor_;    // [vocabulary_size]
  std::vector<TokenId> predecessor_;  // [vocabulary_size]
  std::vector<float> centres_;        // [kTopicCount + 1, width]; the last is 0
  std::vector<float> own_;            // [kSegmentVariants, width]
};

// The rows of the embedding, or of the output, in a type. Thread-compatible; `walk` outlives it.
class WalkRows {
 public:
  enum class Of : std::uint8_t { kEmbedding, kOutput };
  // REQUIRES: a type that can be encoded, and a width of whole blocks.
  WalkRows(const TokenWalk& walk, std::uint32_t width, TensorType type, Of of);

  // `packed`: the token's row.
  void Make(TokenId token, std::span<std::byte> packed);

 private:
  const std::vector<std::byte>& EncodedRow(std::uint32_t topic, std::uint32_t variant);

  const TokenWalk& walk_;
  const TensorType type_;
  const Of of_;
  std::vector<float> row_;
  // [kTopicCount + 1, kSegmentVariants]; empty: not yet encoded.
  std::vector<std::vector<std::byte>> encoded_;
};

}  // namespace edgemoe
