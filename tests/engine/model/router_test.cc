// SPDX-License-Identifier: Apache-2.0
#include "engine/model/ops/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>

#include "engine/kernels/dispatch.h"

namespace edgemoe {
namespace {

using testing::ElementsAre;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// The router as the reference kernels run it.
template <std::size_t kCount>
std::vector<std::uint32_t> Chosen(const ExpertsConfig& config, std::vector<float> logits,
                                  std::array<ExpertChoice, kCount>* choices,
                                  const RouterVectors& vectors = {}) {
  ChooseExperts(config, *AvailableKernels().back(), vectors, logits, *choices);
  std::vector<std::uint32_t> experts;
  for (const ExpertChoice& choice : *choices) experts.push_back(choice.expert);
  return experts;
}

std::vector<float> Logs(std::vector<float> probabilities) {
  for (float& p : probabilities) p = std::log(p);
  return probabilities;
}

// What a sigmoid turns into these.
std::vector<float> Logits(std::vector<float> probabilities) {
  for (float& p : probabilities) p = std::log(p / (1 - p));
  return probabilities;
}

constexpr ExpertsConfig kNormalised = {.normalise = true};

TEST(ChooseExperts, BestFirstAndScaledToOne) {
  std::array<ExpertChoice, 3> choices;
  EXPECT_THAT(Chosen(kNormalised, Logs({0.1F, 0.3F, 0.05F, 0.35F, 0.2F}), &choices),
              ElementsAre(3, 1, 4));
  EXPECT_NEAR(choices[0].weight, 0.35F / 0.85F, 1e-6F);
  EXPECT_NEAR(choices[0].weight + choices[1].weight + choices[2].weight, 1.0F, 1e-6F);
}

TEST(ChooseExperts, WeightsMayStayTheSoftmaxOverAll) {
  std::array<ExpertChoice, 2> choices;
  EXPECT_THAT(Chosen({}, Logs({0.1F, 0.3F, 0.4F, 0.2F}), &choices), ElementsAre(2, 1));
  EXPECT_NEAR(choices[0].weight, 0.4F, 1e-6F);
  EXPECT_NEAR(choices[1].weight, 0.3F, 1e-6F);
}

TEST(ChooseExperts, SigmoidsAreTheWeights) {
  std::array<ExpertChoice, 2> choices;
  ExpertsConfig config = {.gating = ExpertGating::kSigmoid};
  EXPECT_THAT(Chosen(config, Logits({0.6F, 0.9F, 0.8F, 0.1F}), &choices), ElementsAre(1, 2));
  EXPECT_NEAR(choices[0].weight, 0.9F, 1e-6F);
  EXPECT_NEAR(choices[1].weight, 0.8F, 1e-6F);
}

TEST(ChooseExperts, ASelectionBiasChoosesAndDoesNotWeigh) {
  std::array<ExpertChoice, 2> choices;
  ExpertsConfig config = {.gating = ExpertGating::kSigmoid, .selection_bias = true};
  const std::array bias = {0.0F, -0.5F, 0.0F, 0.75F};
  EXPECT_THAT(
      Chosen(config, Logits({0.6F, 0.9F, 0.8F, 0.1F}), &choices, {.selection_bias = bias.data()}),
      ElementsAre(3, 2));
  EXPECT_NEAR(choices[0].weight, 0.1F, 1e-6F);
  EXPECT_NEAR(choices[1].weight, 0.8F, 1e-6F);
}

TEST(ChooseExperts, OnlyTheBestGroupsAreLookedAt) {
  std::array<ExpertChoice, 3> choices;
  ExpertsConfig config = {
      .gating = ExpertGating::kSigmoid, .group_count = 3, .group_used_count = 2};
  // Sums of the two best of each three: 1.0, 1.1, 1.2; the best expert of all is in the first.
  const std::vector<float> scores = {0.9F, 0.1F, 0.05F, 0.5F, 0.3F, 0.6F, 0.7F, 0.5F, 0.01F};
  EXPECT_THAT(Chosen(config, Logits(scores), &choices), ElementsAre(6, 5, 3));
  // A bias of the first group's second makes it the best group.
  const std::array bias = {0.0F, 0.35F, 0.0F, 0.0F, 0.0F, 0.0F, 0.0F, 0.0F, 0.0F};
  EXPECT_THAT(Chosen(config, Logits(scores), &choices, {.selection_bias = bias.data()}),
              ElementsAre(0, 6, 7));
}

TEST(ChooseExperts, TheScaleComesLast) {
  std::array<ExpertChoice, 2> choices;
  EXPECT_THAT(
      Chosen({.normalise = true, .weights_scale = 2.5F}, Logs({0.1F, 0.3F, 0.4F, 0.2F}), &choices),
      ElementsAre(2, 1));
  EXPECT_NEAR(choices[0].weight, 2.5F * 0.4F / 0.7F, 1e-6F);
  EXPECT_NEAR(choices[1].weight, 2.5F * 0.3F / 0.7F, 1e-6F);
}

TEST(ChooseExperts, TheSoftmaxMayBeOverTheChosenAlone) {
  std::array<ExpertChoice, 2> choices;
  EXPECT_THAT(
      Chosen({.gating = ExpertGating::kSoftmaxOfChosen}, {-1.0F, 2.0F, 1.0F, -30.0F}, &choices),
      ElementsAre(1, 2));
  const float first = 1.0F / (1.0F + std::exp(-1.0F));
  EXPECT_NEAR(choices[0].weight, first, 1e-6F);
  EXPECT_NEAR(choices[1].weight, 1.0F - first, 1e-6F);
}

TEST(ChooseExperts, TheBiasIsAddedBeforeChoosing) {
  std::array<ExpertChoice, 1> choices;
  const std::array<float, 3> bias = {5.0F, 0.0F, -5.0F};
  EXPECT_THAT(Chosen(kNormalised, {0.0F, 1.0F, 2.0F}, &choices, {.logit_bias = bias.data()}),
              ElementsAre(0));
}

TEST(ChooseExperts, LogitsAreScaledBeforeTheSoftmax) {
  std::array<ExpertChoice, 2> choices;
  constexpr ExpertsConfig kHalved = {.logit_scale = 0.5F};
  EXPECT_THAT(Chosen(kHalved, Logs({0.16F, 0.04F, 0.01F}), &choices), ElementsAre(0, 1));
  EXPECT_NEAR(choices[0].weight, 4.0F / 7, 1e-6F);
  EXPECT_NEAR(choices[1].weight, 2.0F / 7, 1e-6F);
}

TEST(ChooseExperts, WeightsOfTheChosenAreScaledExpertByExpert) {
  std::array<ExpertChoice, 2> choices;
  const std::array<float, 3> scale = {3.0F, 0.5F, 100.0F};
  EXPECT_THAT(
      Chosen(kNormalised, Logs({0.6F, 0.2F, 0.1F}), &choices, {.weight_scale = scale.data()}),
      ElementsAre(0, 1));
  EXPECT_NEAR(choices[0].weight, 0.75F * 3, 1e-6F);
  EXPECT_NEAR(choices[1].weight, 0.25F * 0.5F, 1e-6F);
}

TEST(ChooseExperts, TiesGoToTheLowerIndex) {
  std::array<ExpertChoice, 2> choices;
  EXPECT_THAT(Chosen(kNormalised, {1.0F, 1.0F, 1.0F, 1.0F}, &choices), ElementsAre(0, 1));
  EXPECT_THAT(Chosen(kNormalised, {0.1F, 0.3F, 0.3F, 0.3F}, &choices), ElementsAre(1, 2));
}

TEST(ChooseExperts, AllOfThem) {
  std::array<ExpertChoice, 3> choices;
  EXPECT_THAT(Chosen(kNormalised, {0.2F, 0.3F, 0.5F}, &choices), ElementsAre(2, 1, 0));
}

// A NaN among the logits makes the softmax over all NaN; over the chosen, the numbers go first.
TEST(ChooseExperts, NanIsSeenInTheWeights) {
  std::array<ExpertChoice, 2> choices;
  EXPECT_THAT(Chosen(kNormalised, {kNan, 0.5F, kNan, 0.25F}, &choices), ElementsAre(0, 1));
  EXPECT_TRUE(std::isnan(choices[0].weight));
  constexpr ExpertsConfig kOfChosen = {.gating = ExpertGating::kSoftmaxOfChosen};
  EXPECT_THAT(Chosen(kOfChosen, {kNan, 0.5F, kNan, 0.25F}, &choices), ElementsAre(1, 3));
  EXPECT_FALSE(std::isnan(choices[0].weight));
  EXPECT_THAT(Chosen(kOfChosen, {kNan, kNan, kNan, 0.25F}, &choices), ElementsAre(3, 0));
  EXPECT_TRUE(std::isnan(choices[0].weight));
}

TEST(ExpertUses, GroupsByExpertInOrderOfRow) {
  ExpertUses uses(4, 2, 6);
  const std::uint32_t chosen[3][2] = {{5, 1}, {1, 2}, {5, 2}};
  for (std::size_t row = 0; row < 3; ++row) {
    for (std::size_t slot = 0; slot < 2; ++slot) {
      uses.ChoicesOf(row)[slot] = {chosen[row][slot], 0.5F};
    }
  }
  uses.Group(3);
  EXPECT_THAT(uses.experts(), ElementsAre(ExpertIndex{1}, ExpertIndex{2}, ExpertIndex{5}));
  EXPECT_THAT(uses.rows_of(ExpertIndex{1}), ElementsAre(0, 1));
  EXPECT_THAT(uses.rows_of(ExpertIndex{2}), ElementsAre(1, 2));
  EXPECT_THAT(uses.rows_of(ExpertIndex{5}), ElementsAre(0, 2));
  for (std::size_t row = 0; row < 3; ++row) {
    for (std::size_t slot = 0; slot < 2; ++slot) {
      const ExpertIndex expert{chosen[row][slot]};
      EXPECT_EQ(uses.rows_of(expert)[uses.use_of(row, slot) - uses.begin_of(expert)], row);
    }
  }
  uses.ChoicesOf(0)[0].expert = 0;
  uses.ChoicesOf(0)[1].expert = 3;
  uses.Group(1);
  EXPECT_THAT(uses.experts(), ElementsAre(ExpertIndex{0}, ExpertIndex{3}));
}

}  // namespace
}  // namespace edgemoe
