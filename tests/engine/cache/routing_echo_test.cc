// SPDX-License-Identifier: Apache-2.0
#include "engine/cache/routing_echo.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "engine/base/random.h"

namespace edgemoe {
namespace {

constexpr PolicyShape kShape{.layer_count = 3, .experts_per_layer = 70, .sessions_max = 2};
constexpr std::uint32_t kOne = 1U << 20;

std::vector<std::uint32_t> EchoOf(RoutingEcho& echo, std::uint32_t slot) {
  std::vector<std::uint32_t> row(kShape.experts_per_layer);
  echo.Echo(SessionSlot{slot}, kOne, row);
  return row;
}

// A text of words, each with experts of its own, that is said again by another request.
TEST(RoutingEchoTest, ExpectsWhatFollowedBefore) {
  RoutingEcho echo(kShape);
  constexpr std::uint32_t kWords = 30;
  for (std::uint64_t request = 1; request <= 2; ++request) {
    for (std::uint32_t word = 0; word < kWords; ++word) {
      for (std::uint32_t layer = 0; layer < kShape.layer_count; ++layer) {
        const std::vector<std::uint32_t> experts = {2 * word, 2 * word + 1};
        echo.OnChosen(SessionSlot{0}, RequestId{request}, ExpertLayerIndex{layer}, experts);
        if (request == 1 || word + 1 == kWords || word == 0) continue;
        const std::vector<std::uint32_t> row = EchoOf(echo, 0);
        const auto best = std::max_element(row.begin(), row.end()) - row.begin();
        EXPECT_EQ(best / 2, word + 1) << word << " " << layer;
        EXPECT_EQ(row[2 * word + 2], row[2 * word + 3]);
      }
    }
  }
}

TEST(RoutingEchoTest, SaysNothingAtFirst) {
  RoutingEcho echo(kShape);
  EXPECT_THAT(EchoOf(echo, 0), testing::Each(0U));
  const std::vector<std::uint32_t> experts = {1, 2};
  for (std::uint32_t layer = 0; layer < kShape.layer_count; ++layer) {
    echo.OnChosen(SessionSlot{0}, RequestId{1}, ExpertLayerIndex{layer}, experts);
    EXPECT_THAT(EchoOf(echo, 0), testing::Each(0U)) << "there was no token before";
  }
}

// The definition, over all tokens there ever were.
class NaiveEcho {
 public:
  void OnChosen(std::uint32_t slot, std::uint64_t request, std::uint32_t layer,
                const std::vector<std::uint32_t>& experts) {
    Session& session = sessions_[slot];
    const bool same = session.request == request;
    if (!same) session = {.request = request, .similarity = {}};
    const bool gone = session.token < 0 || !Kept(session.token);
    if (!same || gone || layer <= session.layer) Begin(session);
    session.layer = layer;
    for (auto& [token, similarity] : session.similarity) similarity *= 0.9F;
    const float share = (1 - 0.9F) / static_cast<float>(experts.size());
    for (const std::uint32_t expert : experts) {
      for (int token = FirstKept(); token < Count(); ++token)
        if (tokens_[Index(token)].chosen[layer].contains(expert))
          session.similarity[token] += share;
      tokens_[Index(session.token)].chosen[layer].insert(expert);
    }
  }

  std::vector<double> Echo(std::uint32_t slot) {
    Session& session = sessions_[slot];
    std::vector<std::pair<float, int>> similar;
    for (int token = FirstKept(); token < Count(); ++token)
      if (tokens_[Index(token)].after >= 0) similar.emplace_back(session.similarity[token], token);
    std::sort(similar.begin(), similar.end(), [](const auto& a, const auto& b) {
      const auto place = [](int token) { return Index(token) % RoutingEcho::kTokensMax; };
      return a.first > b.first || (a.first == b.first && place(a.second) < place(b.second));
    });
    if (similar.size() > RoutingEcho::kSimilarMax) similar.resize(RoutingEcho::kSimilarMax);
    std::vector<double> echo(kShape.experts_per_layer);
    double sum = 0;
    for (const auto& [similarity, token] : similar) sum += std::exp(10 * similarity);
    for (const auto& [similarity, token] : similar) {
      const Token& after = tokens_[Index(tokens_[Index(token)].after)];
      const auto at = after.chosen.find(session.layer);
      if (at == after.chosen.end()) continue;
      for (const std::uint32_t expert : at->second) echo[expert] += std::exp(10 * similarity) / sum;
    }
    return echo;
  }

 private:
  struct Token {
    int after = -1;
    std::map<std::uint32_t, std::set<std::uint32_t>> chosen;
  };
  struct Session {
    std::uint64_t request = 0;
    int token = -1;
    std::uint32_t layer = 0;
    std::map<int, float> similarity;
  };
  static std::size_t Index(int token) { return static_cast<std::size_t>(token); }
  int Count() const { return static_cast<int>(tokens_.size()); }
  int FirstKept() const { return std::max(0, Count() - static_cast<int>(RoutingEcho::kTokensMax)); }
  bool Kept(int token) const { return token >= FirstKept(); }

  void Begin(Session& session) {
    const int before = session.token;
    tokens_.emplace_back();
    session.token = Count() - 1;
    std::map<int, float> moved;
    for (const auto& [token, similarity] : session.similarity)
      if (Kept(token) && tokens_[Index(token)].after >= 0)
        moved[tokens_[Index(token)].after] = similarity;
    session.similarity = moved;
    if (before >= 0 && Kept(before)) tokens_[Index(before)].after = session.token;
  }

  std::vector<Token> tokens_;
  std::map<std::uint32_t, Session> sessions_;
};

TEST(RoutingEchoTest, AgreesWithTheDefinition) {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    Random random(seed);
    RoutingEcho echo(kShape);
    NaiveEcho naive;
    std::uint64_t requests[2] = {1, 2};
    for (int step = 0; step < 500; ++step) {
      for (std::uint32_t slot = 0; slot < 2; ++slot) {
        // One session rests long enough for its token to be forgotten.
        if (slot == 1 && step > 100 && step < 400) continue;
        if (random.NextBelow(40) == 0) requests[slot] += 2;
        for (std::uint32_t layer = 0; layer < kShape.layer_count; ++layer) {
          if (random.NextBelow(50) == 0) break;  // a token that was given up
          std::vector<std::uint32_t> experts;
          for (std::uint32_t i = 0; i < 3; ++i)
            experts.push_back(
                static_cast<std::uint32_t>(random.NextBelow(1 + random.NextBelow(23))) * 3 + i);
          echo.OnChosen(SessionSlot{slot}, RequestId{requests[slot]}, ExpertLayerIndex{layer},
                        experts);
          naive.OnChosen(slot, requests[slot], layer, experts);
          const std::vector<std::uint32_t> row = EchoOf(echo, slot);
          const std::vector<double> expected = naive.Echo(slot);
          for (std::size_t i = 0; i < row.size(); ++i)
            ASSERT_NEAR(static_cast<double>(row[i]) / kOne, expected[i], 1e-3)
                << seed << " " << step << " " << layer << " " << i;
        }
      }
    }
  }
}

}  // namespace
}  // namespace edgemoe
