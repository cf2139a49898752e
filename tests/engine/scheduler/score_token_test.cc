// SPDX-License-Identifier: Apache-2.0
#include "engine/scheduler/score_token.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace edgemoe {
namespace {

TEST(ScoreToken, GivesLogProbabilitiesBestFirst) {
  const std::vector<float> logits = {1.0F, 3.0F, 2.0F, 3.0F};
  const Result<SampledToken> scored = ScoreToken(logits, TokenId{2}, 3);
  ASSERT_TRUE(scored);
  const double sum = std::exp(1.0) + 2 * std::exp(3.0) + std::exp(2.0);
  EXPECT_EQ(scored->token, TokenId{2});
  EXPECT_NEAR(scored->logprob, 2.0 - std::log(sum), 1e-5);
  ASSERT_EQ(scored->top.size(), 3U);
  EXPECT_EQ(scored->top[0].token, TokenId{1});  // equals by id
  EXPECT_EQ(scored->top[1].token, TokenId{3});
  EXPECT_EQ(scored->top[2].token, TokenId{2});
  EXPECT_NEAR(scored->top[0].logprob, 3.0 - std::log(sum), 1e-5);
}

TEST(ScoreToken, GivesNoMoreAlternativesThanThereAreTokens) {
  const std::vector<float> logits = {0.0F, 1.0F};
  const Result<SampledToken> scored = ScoreToken(logits, TokenId{0}, 20);
  ASSERT_TRUE(scored);
  EXPECT_EQ(scored->top.size(), 2U);
}

TEST(ScoreToken, RefusesLogitsThatAreNotNumbers) {
  const std::vector<float> logits = {0.0F, std::numeric_limits<float>::quiet_NaN()};
  const Result<SampledToken> scored = ScoreToken(logits, TokenId{0}, 1);
  ASSERT_FALSE(scored);
  EXPECT_EQ(scored.error().code(), StatusCode::kInternal);
}

}  // namespace
}  // namespace edgemoe
