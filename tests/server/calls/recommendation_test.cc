// SPDX-License-Identifier: Apache-2.0
#include "server/calls/recommendation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "engine/base/byte_size.h"

namespace edgemoe {
namespace {

using testing::HasSubstr;

// One that fits in every way.
ModelChoice Choice(double bits, double expert_share, std::optional<double> speed = {}) {
  return {.bytes = static_cast<std::uint64_t>(bits * static_cast<double>(kGiB)),
          .bits_per_weight = bits,
          .can_be_used = true,
          .fits_storage = true,
          .budget_floor_bytes = kGiB,
          .fits_budget = true,
          .expert_share = expert_share,
          .tokens_per_second = speed};
}

TEST(RecommendationTest, MostBitsOfThoseThatAreFastEnough) {
  const std::vector<ModelChoice> choices = {Choice(2.5, 1, 14), Choice(4.8, 0.5, 5.0),
                                            Choice(6.6, 0.2, 4.9), Choice(8.5, 0.1, 2)};
  const Recommendation recommendation = Recommend(choices);
  EXPECT_EQ(recommendation.index, 1u);
  EXPECT_THAT(recommendation.reason, HasSubstr("4.8 bits a weight"));
  EXPECT_THAT(recommendation.reason, HasSubstr("5.0 tokens a second"));
}

TEST(RecommendationTest, TheFastestWhereNoneIsFastEnough) {
  const std::vector<ModelChoice> choices = {Choice(2.5, 0.1, 1), Choice(4.8, 0.2, 3),
                                            Choice(8.5, 0.9, 2)};
  const Recommendation recommendation = Recommend(choices);
  EXPECT_EQ(recommendation.index, 1u);
  EXPECT_THAT(recommendation.reason, HasSubstr("none writes 5.0"));
}

TEST(RecommendationTest, SharesCountWhereASpeedIsNotKnown) {
  // A speed that one of them lacks compares with nothing.
  const std::vector<ModelChoice> choices = {Choice(2.5, 1, 14), Choice(4.8, 0.5), Choice(6.6, 0.4)};
  const Recommendation recommendation = Recommend(choices);
  EXPECT_EQ(recommendation.index, 1u);
  EXPECT_THAT(recommendation.reason, HasSubstr("50.0 % of its experts"));
  EXPECT_EQ(Recommend(std::vector{Choice(2.5, 0.3), Choice(4.8, 0.2)}).index, 0u);
}

TEST(RecommendationTest, BitsThatNobodySeesCountForNothing) {
  EXPECT_EQ(Recommend(std::vector{Choice(6.6, 1, 20), Choice(8.51, 1, 10), Choice(16, 1, 6),
                                  Choice(32, 1, 5.5)})
                .index,
            1u);
}

TEST(RecommendationTest, WhatDoesNotFitIsNotRecommended) {
  std::vector<ModelChoice> choices = {Choice(2.5, 1, 14), Choice(4.8, 1, 10), Choice(6.6, 1, 9),
                                      Choice(8.5, 1, 8)};
  choices[3].fits_budget = false;
  choices[2].fits_storage = false;
  choices[1].can_be_used = false;
  EXPECT_EQ(Recommend(choices).index, 0u);
}

TEST(RecommendationTest, SaysWhyNoneIs) {
  EXPECT_THAT(Recommend({}).reason, HasSubstr("no models"));
  std::vector<ModelChoice> choices = {Choice(2, 1, 14), Choice(4, 1, 10)};
  choices[0].budget_floor_bytes = 512 * kMiB;
  for (ModelChoice& choice : choices) choice.fits_budget = false;
  EXPECT_EQ(Recommend(choices).index, std::nullopt);
  EXPECT_THAT(Recommend(choices).reason, HasSubstr("least memory budget that works is 512 MiB"));
  for (ModelChoice& choice : choices) choice.fits_storage = false;
  EXPECT_THAT(Recommend(choices).reason, HasSubstr("no room for 2.00 GiB, and the least memory"));
  for (ModelChoice& choice : choices) choice.fits_budget = true;
  EXPECT_EQ(Recommend(choices).reason, "None of them fits: the disk has no room for 2.00 GiB.");
  choices[0] = Choice(2, 1);
  choices[0].fits_budget = false;
  choices[0].budget_floor_bytes = 4 * kGiB;
  EXPECT_THAT(Recommend(choices).reason, HasSubstr("wants more memory"));
  for (ModelChoice& choice : choices) choice.can_be_used = false;
  EXPECT_THAT(Recommend(choices).reason, HasSubstr("None of them can be used"));
}

}  // namespace
}  // namespace edgemoe
