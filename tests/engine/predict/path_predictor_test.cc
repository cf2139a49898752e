// SPDX-License-Identifier: Apache-2.0
#include "engine/predict/path_predictor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "engine/base/random.h"
#include "engine/predict/previous_token_predictor.h"

namespace edgemoe {
namespace {

constexpr PredictorShape kShape{
    .layer_count = 4, .experts_per_layer = 8, .experts_used = 2, .sessions_max = 2};

std::vector<ExpertChoice> Choices(std::initializer_list<std::uint32_t> experts) {
  std::vector<ExpertChoice> choices;
  for (const std::uint32_t expert : experts)
    choices.push_back({expert, 1.0F / static_cast<float>(experts.size())});
  return choices;
}

RoutedRow Row(std::uint64_t request, std::uint32_t slot, std::uint32_t position,
              const std::vector<ExpertChoice>& choices,
              RoutingPhase phase = RoutingPhase::kDecode) {
  return {.request = RequestId{request},
          .session = SessionSlot{slot},
          .phase = phase,
          .position = position,
          .choices = choices};
}

std::vector<std::uint32_t> Guess(const Predictor& predictor, std::uint32_t next,
                                 const RoutedRow& row, std::size_t count) {
  std::vector<ExpertChoice> guesses(count);
  guesses.resize(predictor.Guess(ExpertLayerIndex{next}, row, guesses));
  std::vector<std::uint32_t> experts;
  float last = 1.0F;
  for (const ExpertChoice& guess : guesses) {
    EXPECT_LE(guess.weight, last) << "best first, at most 1";
    EXPECT_GE(guess.weight, 0.0F);
    last = guess.weight;
    experts.push_back(guess.expert);
  }
  EXPECT_EQ(std::set<std::uint32_t>(experts.begin(), experts.end()).size(), experts.size());
  return experts;
}

// Two kinds of token, which take the experts {0, 1} or {4, 5} in every layer.
void ObserveToken(Predictor& predictor, std::uint32_t kind, std::uint64_t request,
                  std::uint32_t slot, std::uint32_t position,
                  RoutingPhase phase = RoutingPhase::kDecode) {
  const std::vector<ExpertChoice> choices = Choices({4 * kind, 4 * kind + 1});
  for (std::uint32_t layer = 0; layer < kShape.layer_count; ++layer)
    predictor.Observe(ExpertLayerIndex{layer}, Row(request, slot, position, choices, phase));
}

TEST(PathPredictorTest, LearnsWhatFollowsWhat) {
  PathPredictor predictor(kShape);
  for (std::uint32_t position = 0; position < 20; ++position)
    ObserveToken(predictor, position % 2, 1, 0, position);
  for (std::uint32_t kind = 0; kind < 2; ++kind) {
    const std::vector<ExpertChoice> choices = Choices({4 * kind, 4 * kind + 1});
    const RoutedRow row = Row(1, 0, 20 + kind, choices);
    for (std::uint32_t layer = 0; layer < kShape.layer_count; ++layer) {
      predictor.Observe(ExpertLayerIndex{layer}, row);
      // The next token is of the other kind.
      const std::uint32_t expected = layer + 1 < kShape.layer_count ? kind : 1 - kind;
      EXPECT_THAT(Guess(predictor, (layer + 1) % kShape.layer_count, row, 2),
                  testing::UnorderedElementsAre(4 * expected, 4 * expected + 1))
          << layer;
    }
  }
}

TEST(PathPredictorTest, KnowsNothingOfStrangers) {
  PathPredictor predictor(kShape);
  const std::vector<ExpertChoice> choices = Choices({0, 1});
  EXPECT_THAT(Guess(predictor, 1, Row(1, 0, 0, choices), 2), testing::IsEmpty());
  for (std::uint32_t position = 0; position < 4; ++position)
    ObserveToken(predictor, 0, 1, 0, position);
  EXPECT_THAT(Guess(predictor, 0, Row(1, 0, 3, choices), 2), testing::ElementsAre(0, 1));
  EXPECT_THAT(Guess(predictor, 0, Row(1, 0, 4, choices), 2), testing::IsEmpty()) << "position";
  EXPECT_THAT(Guess(predictor, 0, Row(2, 0, 3, choices), 2), testing::IsEmpty()) << "request";
  EXPECT_THAT(Guess(predictor, 0, Row(1, 1, 3, choices), 2), testing::IsEmpty()) << "slot";
}

TEST(PathPredictorTest, APromptTeachesAndLeadsIntoDecoding) {
  PathPredictor predictor(kShape);
  // A chunk goes through the layers together.
  std::vector<std::vector<ExpertChoice>> tokens;
  for (std::uint32_t i = 0; i < 30; ++i) tokens.push_back(Choices({4 * (i % 2), 4 * (i % 2) + 1}));
  for (std::uint32_t layer = 0; layer < kShape.layer_count; ++layer)
    for (std::uint32_t i = 0; i < tokens.size(); ++i)
      predictor.Observe(ExpertLayerIndex{layer}, Row(7, 1, i, tokens[i], RoutingPhase::kPrefill));
  const std::vector<ExpertChoice> other = Choices({4, 5});
  const RoutedRow row = Row(7, 1, 30, other);
  predictor.Observe(ExpertLayerIndex{0}, row);
  EXPECT_THAT(Guess(predictor, 1, row, 2), testing::ElementsAre(4, 5));
  // Layer 0 of position 30 followed the last layer of position 29, which took {4, 5} too.
  EXPECT_EQ(predictor.counts().Row(1, ExpertLayerIndex{0}, 4)[0], 1);
  EXPECT_EQ(predictor.counts().Row(1, ExpertLayerIndex{0}, 0)[0], 0);
}

TEST(PathPredictorTest, SessionsDoNotMixTheirPaths) {
  PathPredictor predictor(kShape);
  for (std::uint32_t position = 0; position < 10; ++position) {
    const std::vector<ExpertChoice> a = Choices({0, 1});
    const std::vector<ExpertChoice> b = Choices({4, 5});
    for (std::uint32_t layer = 0; layer < kShape.layer_count; ++layer) {
      predictor.Observe(ExpertLayerIndex{layer}, Row(1, 0, position, a));
      predictor.Observe(ExpertLayerIndex{layer}, Row(2, 1, position, b));
    }
  }
  for (std::uint32_t layer = 0; layer < kShape.layer_count; ++layer) {
    EXPECT_GT(predictor.counts().Row(1, ExpertLayerIndex{layer}, 0)[1 + 0], 0);
    EXPECT_EQ(predictor.counts().Row(1, ExpertLayerIndex{layer}, 0)[1 + 4], 0);
  }
}

// Counts stay a byte, and what was long ago gives way.
TEST(PathPredictorTest, ForgetsByHalves) {
  PathPredictor predictor(kShape);
  std::uint32_t position = 0;
  for (int i = 0; i < 2000; ++i) ObserveToken(predictor, 0, 1, 0, position++);
  EXPECT_GE(predictor.counts().Row(1, ExpertLayerIndex{1}, 0)[0], 127);
  const std::vector<ExpertChoice> from = Choices({0, 1});
  const std::vector<ExpertChoice> to = Choices({6, 7});
  for (int i = 0; i < 600; ++i, ++position) {
    predictor.Observe(ExpertLayerIndex{0}, Row(1, 0, position, from));
    for (std::uint32_t layer = 1; layer < kShape.layer_count; ++layer)
      predictor.Observe(ExpertLayerIndex{layer}, Row(1, 0, position, to));
  }
  predictor.Observe(ExpertLayerIndex{0}, Row(1, 0, position, from));
  EXPECT_THAT(Guess(predictor, 1, Row(1, 0, position, from), 2), testing::ElementsAre(6, 7));
}

TEST(PathCountsTest, SurvivesARestart) {
  PathPredictor predictor(kShape);
  for (std::uint32_t position = 0; position < 50; ++position)
    ObserveToken(predictor, position % 2, 1, 0, position);
  const std::vector<std::byte> bytes = predictor.counts().Serialize();
  PathPredictor restored(kShape);
  ASSERT_TRUE(restored.Restore(bytes).ok());
  EXPECT_EQ(restored.counts().Serialize(), bytes);
  ObserveToken(restored, 0, 9, 1, 0);
  const std::vector<ExpertChoice> choices = Choices({0, 1});
  EXPECT_THAT(Guess(restored, 0, Row(9, 1, 0, choices), 2), testing::UnorderedElementsAre(4, 5));
}

TEST(PathCountsTest, RefusesWhatIsNotItsOwn) {
  PathCounts counts(3, 4);
  counts.Count(1, ExpertLayerIndex{1}, 2, Choices({0, 3}));
  const std::vector<std::byte> good = counts.Serialize();
  const PathCounts other(3, 5);
  const Status shape = counts.Restore(other.Serialize());
  EXPECT_EQ(shape.code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(shape.message(), "path counts: experts a layer: found 5; accepted: 4");
  std::vector<std::byte> newer = good;
  newer[8] = std::byte{2};
  EXPECT_EQ(counts.Restore(newer).message(), "path counts: version: found 2; accepted: 1");
  EXPECT_EQ(counts.Restore({}).code(), StatusCode::kDataLoss);
  EXPECT_EQ(counts.Serialize(), good);
}

// Any bytes are refused or taken whole.
TEST(PathCountsTest, DamageChangesNothing) {
  PathCounts source(3, 4);
  Random random(1);
  for (int i = 0; i < 2000; ++i) {
    source.Count(1 + static_cast<std::uint32_t>(random.NextBelow(2)),
                 ExpertLayerIndex{static_cast<std::uint32_t>(random.NextBelow(3))},
                 static_cast<std::uint32_t>(random.NextBelow(4)),
                 Choices({static_cast<std::uint32_t>(random.NextBelow(4))}));
  }
  const std::vector<std::byte> good = source.Serialize();
  PathCounts counts(3, 4);
  const std::vector<std::byte> empty = counts.Serialize();
  for (int i = 0; i < 20000; ++i) {
    std::vector<std::byte> bytes = good;
    const std::uint64_t kind = random.NextBelow(3);
    if (kind == 0) bytes.resize(random.NextBelow(bytes.size()));
    if (kind == 1) bytes.push_back(std::byte{0});
    if (kind == 2)
      bytes[random.NextBelow(bytes.size())] ^= static_cast<std::byte>(1 + random.NextBelow(255));
    const Status status = counts.Restore(bytes);
    ASSERT_FALSE(status.ok());
    ASSERT_FALSE(status.message().empty());
    ASSERT_EQ(counts.Serialize(), empty);
  }
  ASSERT_TRUE(counts.Restore(good).ok());
  EXPECT_EQ(counts.Serialize(), good);
}

TEST(PreviousTokenPredictorTest, GuessesTheTokenBefore) {
  PreviousTokenPredictor predictor(kShape);
  ObserveToken(predictor, 1, 1, 0, 0);
  const std::vector<ExpertChoice> choices = Choices({0, 1});
  predictor.Observe(ExpertLayerIndex{0}, Row(1, 0, 1, choices));
  EXPECT_THAT(Guess(predictor, 1, Row(1, 0, 1, choices), 4), testing::ElementsAre(4, 5));
  EXPECT_THAT(Guess(predictor, 0, Row(1, 0, 1, choices), 4), testing::ElementsAre(0, 1));
  EXPECT_THAT(Guess(predictor, 0, Row(2, 0, 1, choices), 4), testing::IsEmpty());
  EXPECT_THAT(Guess(predictor, 0, Row(1, 1, 1, choices), 4), testing::IsEmpty());
}

}  // namespace
}  // namespace edgemoe
