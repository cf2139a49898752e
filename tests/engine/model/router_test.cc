// SPDX-License-Identifier: Apache-2.0
#include "engine/model/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>

namespace edgemoe {
namespace {

using testing::ElementsAre;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

template <std::size_t kCount>
std::vector<std::uint32_t> Chosen(const std::vector<float>& probabilities,
                                  std::array<ExpertChoice, kCount>* choices) {
  ChooseExperts(probabilities, *choices);
  std::vector<std::uint32_t> experts;
  for (const ExpertChoice& choice : *choices) experts.push_back(choice.expert);
  return experts;
}

TEST(ChooseExperts, BestFirstAndScaledToOne) {
  std::array<ExpertChoice, 3> choices;
  EXPECT_THAT(Chosen({0.1F, 0.3F, 0.05F, 0.35F, 0.2F}, &choices), ElementsAre(3, 1, 4));
  EXPECT_FLOAT_EQ(choices[0].weight, 0.35F / 0.85F);
  EXPECT_FLOAT_EQ(choices[0].weight + choices[1].weight + choices[2].weight, 1.0F);
}

TEST(ChooseExperts, TiesGoToTheLowerIndex) {
  std::array<ExpertChoice, 2> choices;
  EXPECT_THAT(Chosen({0.25F, 0.25F, 0.25F, 0.25F}, &choices), ElementsAre(0, 1));
  EXPECT_THAT(Chosen({0.1F, 0.3F, 0.3F, 0.3F}, &choices), ElementsAre(1, 2));
}

TEST(ChooseExperts, AllOfThem) {
  std::array<ExpertChoice, 3> choices;
  EXPECT_THAT(Chosen({0.2F, 0.3F, 0.5F}, &choices), ElementsAre(2, 1, 0));
}

TEST(ChooseExperts, NanRanksLastAndIsSeen) {
  std::array<ExpertChoice, 2> choices;
  EXPECT_THAT(Chosen({kNan, 0.5F, kNan, 0.25F}, &choices), ElementsAre(1, 3));
  EXPECT_FLOAT_EQ(choices[0].weight, 0.5F / 0.75F);
  EXPECT_THAT(Chosen({kNan, kNan, kNan, 0.25F}, &choices), ElementsAre(3, 0));
  EXPECT_TRUE(std::isnan(choices[0].weight));
  EXPECT_THAT(Chosen({kNan, kNan, kNan, kNan}, &choices), ElementsAre(0, 1));
  EXPECT_TRUE(std::isnan(choices[1].weight));
}

TEST(ChooseExperts, AllZeroDoesNotDivideByZero) {
  std::array<ExpertChoice, 2> choices;
  EXPECT_THAT(Chosen({0.0F, 0.0F, 0.0F}, &choices), ElementsAre(0, 1));
  EXPECT_EQ(choices[0].weight, 0.0F);
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
