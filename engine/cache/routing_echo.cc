// SPDX-License-Identifier: Apache-2.0
#include "engine/cache/routing_echo.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "engine/base/check.h"

namespace edgemoe {
namespace {

// How much of a token's similarity a further layer leaves: about the last ten layers count.
constexpr float kSimilarityKeep = 0.9F;
// A token that is more similar by a tenth counts e times as much. Results hardly depend on either.
constexpr float kSharpness = 10;

// Calls visit(token) for each token of the words.
template <class Words, class Visit>
void ForEachToken(const Words& words, Visit visit) {
  for (std::size_t i = 0; i < words.size(); ++i)
    for (std::uint64_t word = words[i]; word != 0; word &= word - 1)
      visit(static_cast<std::uint32_t>(64 * i) +
            static_cast<std::uint32_t>(std::countr_zero(word)));
}

}  // namespace

RoutingEcho::RoutingEcho(const PolicyShape& shape)
    : experts_per_layer_(shape.experts_per_layer),
      choosers_(std::size_t{shape.layer_count} * shape.experts_per_layer),
      sessions_(shape.sessions_max) {}

void RoutingEcho::OnChosen(SessionSlot slot, RequestId request, ExpertLayerIndex layer,
                           std::span<const std::uint32_t> experts) {
  EDGEMOE_CHECK(slot.value < sessions_.size(), "more sessions than the cache was told of");
  Session& session = sessions_[slot.value];
  if (session.request != request) {
    session.request = request;
    session.token = kNone;
    session.similarity.fill(0);
    BeginToken(session);
  } else if (session.token == kNone || layer <= session.layer) {
    BeginToken(session);
  }
  session.layer = layer;
  for (float& similarity : session.similarity) similarity *= kSimilarityKeep;
  const float share = (1 - kSimilarityKeep) / static_cast<float>(experts.size());
  const std::span<TokenSet> choosers = ChoosersOf(layer);
  for (const std::uint32_t expert : experts) {
    ForEachToken(choosers[expert],
                 [&](std::uint32_t token) { session.similarity[token] += share; });
    choosers[expert][session.token / 64] |= std::uint64_t{1} << (session.token % 64);
  }
}

void RoutingEcho::Echo(SessionSlot slot, std::uint32_t one, std::span<std::uint32_t> echo) {
  EDGEMOE_CHECK(echo.size() == experts_per_layer_, "one figure for each expert");
  std::fill(echo.begin(), echo.end(), 0);
  const Session& session = sessions_[slot.value];
  const std::size_t count = FindSimilar(session);
  if (count == 0) return;
  std::array<float, kSimilarMax> weights;
  float sum = 0;
  for (std::size_t i = 0; i < count; ++i) {
    weights[i] = std::exp(kSharpness * (similar_[i].similarity - similar_[0].similarity));
    sum += weights[i];
  }
  TokenSet followers{};
  std::array<std::uint32_t, kTokensMax> weight_of;  // set for followers
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t after = links_[similar_[i].token].after;
    followers[after / 64] |= std::uint64_t{1} << (after % 64);
    // A little less, so that roundings do not add up to more than `one`.
    weight_of[after] =
        static_cast<std::uint32_t>(static_cast<float>(one) * weights[i] / (sum * 1.0001F));
  }
  const std::span<const TokenSet> choosers = ChoosersOf(session.layer);
  for (std::uint32_t expert = 0; expert < experts_per_layer_; ++expert) {
    TokenSet both = choosers[expert];
    for (std::size_t i = 0; i < kWords; ++i) both[i] &= followers[i];
    ForEachToken(both, [&](std::uint32_t token) { echo[expert] += weight_of[token]; });
  }
}

// The most similar tokens that another one came after, the most similar first.
std::size_t RoutingEcho::FindSimilar(const Session& session) {
  std::size_t count = 0;
  for (std::uint32_t token = 0; token < kTokensMax; ++token)
    if (links_[token].after != kNone) similar_[count++] = {session.similarity[token], token};
  const std::size_t best_count = std::min<std::size_t>(count, kSimilarMax);
  std::partial_sort(similar_.begin(), similar_.begin() + static_cast<std::ptrdiff_t>(best_count),
                    similar_.begin() + static_cast<std::ptrdiff_t>(count),
                    [](const Similar& a, const Similar& b) {
                      return a.similarity > b.similarity ||
                             (a.similarity == b.similarity && a.token < b.token);
                    });
  return best_count;
}

// Similarities move on by one token: what came after a token similar to the last one starts as
// similar to this one.
void RoutingEcho::BeginToken(Session& session) {
  const std::uint32_t before = session.token;
  const std::uint32_t token = next_token_;
  next_token_ = (next_token_ + 1) % kTokensMax;
  Overwrite(token);
  std::array<float, kTokensMax> moved{};
  for (std::uint32_t i = 0; i < kTokensMax; ++i)
    if (links_[i].after != kNone) moved[links_[i].after] = session.similarity[i];
  session.similarity = moved;
  session.token = token;
  if (before == kNone || before == token) return;
  links_[before].after = token;
  links_[token].before = before;
}

void RoutingEcho::Overwrite(std::uint32_t token) {
  Link& link = links_[token];
  if (link.before != kNone) links_[link.before].after = kNone;
  if (link.after != kNone) links_[link.after].before = kNone;
  link = {};
  const std::uint64_t others = ~(std::uint64_t{1} << (token % 64));
  for (TokenSet& set : choosers_) set[token / 64] &= others;
  for (Session& session : sessions_) {
    session.similarity[token] = 0;
    if (session.token == token) session.token = kNone;
  }
}

}  // namespace edgemoe
