// SPDX-License-Identifier: Apache-2.0
#include "tests/shapes/token_walk.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/random.h"
#include "engine/quant/quantize.h"

namespace edgemoe {
namespace {

// Rows of the output of tokens outside are as small, beside others': they answer to nothing.
constexpr double kOutsideScale = 0.01;

// Uniform, of the root mean square.
float NextWeight(double root_mean_square, Random& random) {
  const double reach = root_mean_square * std::sqrt(3.0);
  return static_cast<float>((2.0 * random.NextUnit() - 1.0) * reach);
}

}  // namespace

TokenWalk::TokenWalk(const TokenWalkOptions& options)
    : options_(options),
      topic_(options.vocabulary_size, kTopicCount),
      centres_(std::size_t{kTopicCount + 1} * options.width),
      own_(std::size_t{kSegmentVariants} * options.width) {
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
  const double topic_size = options.root_mean_square * std::sqrt(options.topic_share);
  for (std::size_t i = 0; i < centres_.size() - options.width; ++i)
    centres_[i] = NextWeight(topic_size, random);
  const double own_size = options.root_mean_square * std::sqrt(1 - options.topic_share);
  for (float& x : own_) x = NextWeight(own_size, random);
}

std::vector<std::uint32_t> TokenWalk::VariantsOf(TokenId token) const {
  // Tokens with neighbouring seeds would share what they draw.
  Random random(Random(options_.seed ^ static_cast<std::uint64_t>(token.value)).Next());
  std::vector<std::uint32_t> variants((options_.width + kSegmentWeights - 1) / kSegmentWeights);
  for (std::uint32_t& variant : variants)
    variant = static_cast<std::uint32_t>(random.NextBelow(kSegmentVariants));
  return variants;
}

void TokenWalk::MakeRow(std::uint32_t topic, std::uint32_t variant, std::span<float> row) const {
  EDGEMOE_CHECK(row.size() == options_.width, "a row of the embedding");
  const float* const centre = &centres_[std::size_t{topic} * options_.width];
  const float* const own = &own_[std::size_t{variant} * options_.width];
  for (std::size_t i = 0; i < row.size(); ++i) row[i] = centre[i] + own[i];
}

WalkRows::WalkRows(const TokenWalk& walk, std::uint32_t width, TensorType type, Of of)
    : walk_(walk),
      type_(type),
      of_(of),
      row_(width),
      encoded_(std::size_t{kTopicCount + 1} * kSegmentVariants) {}

const std::vector<std::byte>& WalkRows::EncodedRow(std::uint32_t topic, std::uint32_t variant) {
  std::vector<std::byte>& encoded = encoded_[std::size_t{topic} * kSegmentVariants + variant];
  if (!encoded.empty()) return encoded;
  walk_.MakeRow(topic, variant, row_);
  if (of_ == Of::kOutput) {
    const double scale = walk_.output_scale() * (topic == kTopicCount ? kOutsideScale : 1);
    for (float& x : row_) x = static_cast<float>(scale * double{x});
  }
  encoded.resize(*RowBytes(type_, row_.size()));
  QuantizeRow(type_, row_.data(), row_.size(), encoded.data());
  return encoded;
}

void WalkRows::Make(TokenId token, std::span<std::byte> packed) {
  const TokenId source = of_ == Of::kOutput ? walk_.PredecessorOf(token) : token;
  const std::size_t segment_bytes = *RowBytes(type_, kSegmentWeights);
  std::size_t at = 0;
  for (const std::uint32_t variant : walk_.VariantsOf(source)) {
    const std::size_t bytes = std::min(segment_bytes, packed.size() - at);
    std::memcpy(&packed[at], &EncodedRow(walk_.TopicOf(source), variant)[at], bytes);
    at += bytes;
  }
}

}  // namespace edgemoe
