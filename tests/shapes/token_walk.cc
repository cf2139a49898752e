// SPDX-License-Identifier: Apache-2.0
#include "tests/shapes/token_walk.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/random.h"

namespace edgemoe {
namespace {

// Rows of tokens outside are as small, beside others': they are no answer to anything.
constexpr double kOutsideScale = 0.01;

// Uniform, of mean square 1.
float NextWeight(Random& random) {
  return static_cast<float>((2.0 * random.NextUnit() - 1.0) * std::sqrt(3.0));
}

// Each token has numbers of its own; neighbouring seeds would share them.
Random RandomOf(std::uint64_t seed, TokenId token) {
  return Random(Random(seed ^ static_cast<std::uint64_t>(token.value)).Next());
}

}  // namespace

TokenWalk::TokenWalk(const TokenWalkOptions& options)
    : options_(options), topic_(options.vocabulary_size, kNoTopic) {
  EDGEMOE_CHECK(options.topic_share >= 0 && options.topic_share <= 1, "a share");
  std::vector<TokenId> order;
  for (std::uint32_t i = 0; i < options.vocabulary_size; ++i) {
    const TokenId token{static_cast<std::int32_t>(i)};
    successor_.push_back(token);
    if (std::ranges::find(options.outside, token) == options.outside.end()) order.push_back(token);
  }
  predecessor_ = successor_;
  Random random(options.seed);
  for (std::size_t i = order.size(); i > 1; --i)
    std::swap(order[i - 1], order[random.NextBelow(i)]);
  std::uint8_t topic = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (i % kTopicStay == 0) topic = static_cast<std::uint8_t>(random.NextBelow(kTopicCount));
    topic_[Index(order[i])] = topic;
    const TokenId next = order[(i + 1) % order.size()];
    successor_[Index(order[i])] = next;
    predecessor_[Index(next)] = order[i];
  }
  centres_.resize(std::size_t{kTopicCount} * options.width);
  for (float& x : centres_) x = NextWeight(random);
}

void TokenWalk::EmbeddingOf(TokenId token, std::span<float> row) const {
  EDGEMOE_CHECK(row.size() == options_.width, "a row of the embedding");
  Random random = RandomOf(options_.seed, token);
  const double share = IsOutside(token) ? 0 : options_.topic_share;
  const auto topic = static_cast<float>(options_.root_mean_square * std::sqrt(share));
  const auto own = static_cast<float>(options_.root_mean_square * std::sqrt(1 - share));
  const float* const centre =
      &centres_[IsOutside(token) ? 0 : std::size_t{topic_[Index(token)]} * options_.width];
  for (std::size_t i = 0; i < row.size(); ++i)
    row[i] = topic * centre[i] + own * NextWeight(random);
}

void TokenWalk::OutputOf(TokenId token, std::span<float> row) const {
  EmbeddingOf(predecessor_[Index(token)], row);
  if (!IsOutside(token)) return;
  for (float& x : row) x = static_cast<float>(kOutsideScale * x);
}

}  // namespace edgemoe
