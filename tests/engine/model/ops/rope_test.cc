// SPDX-License-Identifier: Apache-2.0
#include "engine/model/ops/rope.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace edgemoe {
namespace {

using testing::DoubleEq;
using testing::ElementsAre;

constexpr std::array kOfAll = {1.0F, 2.0F};
constexpr std::array kOfShort = {4.0F, 8.0F};
constexpr std::array kOfLong = {16.0F, 32.0F};
constexpr RopeFactors kFactors = {
    .of_all = kOfAll.data(), .of_short = kOfShort.data(), .of_long = kOfLong.data()};

RopeConfig TwoPairs() { return {.dimension_count = 4, .base = 10000, .factors = true}; }

RopeConfig LongRope() {
  RopeConfig rope = TwoPairs();
  rope.scaling = RopeScaling::kLongRope;
  rope.original_context_length = 100;
  return rope;
}

TEST(RopeAngles, PairsTurnSlowerAndSlower) {
  const RopeAngles angles = AnglesOf(TwoPairs(), {}, 100);
  EXPECT_THAT(angles.frequencies, ElementsAre(1.0, DoubleEq(0.01)));
  EXPECT_EQ(angles.magnitude, 1.0);
}

TEST(RopeAngles, FrequenciesAreDividedByTheFilesFactors) {
  EXPECT_THAT(AnglesOf(TwoPairs(), kFactors, 100).frequencies, ElementsAre(1.0, DoubleEq(0.005)));
}

TEST(RopeAngles, FactorsAreOfLayersThatUseThem) {
  RopeConfig rope = TwoPairs();
  rope.factors = false;
  EXPECT_THAT(AnglesOf(rope, kFactors, 100).frequencies, ElementsAre(1.0, DoubleEq(0.01)));
}

TEST(RopeAngles, TheContextChoosesBetweenShortAndLongFactors) {
  EXPECT_THAT(AnglesOf(LongRope(), kFactors, 100).frequencies,
              ElementsAre(0.25, DoubleEq(0.01 / 8)));
  EXPECT_THAT(AnglesOf(LongRope(), kFactors, 101).frequencies,
              ElementsAre(1.0 / 16, DoubleEq(0.01 / 32)));
}

TEST(RopeAngles, LongFactorsComeWithTheScaleAndTheMagnitude) {
  RopeConfig rope = LongRope();
  rope.factor = 2;
  rope.attention_factor = 1.5F;
  const RopeAngles angles = AnglesOf(rope, kFactors, 101);
  EXPECT_THAT(angles.frequencies, ElementsAre(1.0 / 32, DoubleEq(0.01 / 64)));
  EXPECT_EQ(angles.magnitude, 1.5);
}

}  // namespace
}  // namespace edgemoe
