// SPDX-License-Identifier: Apache-2.0
#include "engine/model/sampler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <set>

namespace edgemoe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Everything off: draws from the whole distribution.
SamplingParameters Plain(float temperature = 1.0F) {
  SamplingParameters parameters;
  parameters.temperature = temperature;
  parameters.top_k = 0;
  parameters.top_p = 1.0F;
  parameters.min_p = 0.0F;
  return parameters;
}

std::vector<float> LogitsOf(std::initializer_list<double> probabilities) {
  std::vector<float> logits;
  for (const double p : probabilities) logits.push_back(static_cast<float>(std::log(p)));
  return logits;
}

std::map<std::int32_t, double> Frequencies(const SamplingParameters& parameters,
                                           const std::vector<float>& logits, int draws = 20000) {
  Sampler sampler(parameters, static_cast<std::uint32_t>(logits.size()));
  std::map<std::int32_t, double> frequencies;
  for (int i = 0; i < draws; ++i) {
    frequencies[sampler.Sample(logits, -1)->token.value] += 1.0 / draws;
  }
  return frequencies;
}

std::int32_t Greedy(const SamplingParameters& parameters, const std::vector<float>& logits,
                    const std::vector<std::int32_t>& observed = {}) {
  Sampler sampler(parameters, static_cast<std::uint32_t>(logits.size()));
  for (const std::int32_t token : observed) sampler.Observe(TokenId{token});
  return sampler.Sample(logits, -1)->token.value;
}

TEST(Sampler, GreedyTakesTheBestAndTheFirstOfEquals) {
  EXPECT_EQ(Greedy(Plain(0), {0.5F, 2.0F, -1.0F}), 1);
  EXPECT_EQ(Greedy(Plain(0), {0.5F, 2.0F, 2.0F}), 1);
  EXPECT_EQ(Greedy(Plain(0), {-kInfinity, -kInfinity, -100.0F}), 2);
}

// 20,000 draws: the standard deviation of a frequency is below 0.0036, and the seed is fixed.
TEST(Sampler, DrawsFromTheDistribution) {
  const auto found = Frequencies(Plain(), LogitsOf({0.5, 0.3, 0.15, 0.05}));
  EXPECT_NEAR(found.at(0), 0.5, 0.015);
  EXPECT_NEAR(found.at(1), 0.3, 0.015);
  EXPECT_NEAR(found.at(2), 0.15, 0.015);
  EXPECT_NEAR(found.at(3), 0.05, 0.015);
}

TEST(Sampler, TemperatureSharpensAndFlattens) {
  const std::vector<float> logits = LogitsOf({0.8, 0.2});
  // Probabilities to the power of 1 / temperature.
  EXPECT_NEAR(Frequencies(Plain(0.5F), logits).at(0), 0.64 / 0.68, 0.015);
  EXPECT_NEAR(Frequencies(Plain(2.0F), logits).at(0), 2.0 / 3.0, 0.015);
}

TEST(Sampler, TopKKeepsTheBest) {
  SamplingParameters parameters = Plain();
  parameters.top_k = 2;
  const auto found = Frequencies(parameters, LogitsOf({0.1, 0.45, 0.15, 0.3}));
  EXPECT_EQ(found.size(), 2U);
  EXPECT_NEAR(found.at(1), 0.6, 0.015);
  EXPECT_NEAR(found.at(3), 0.4, 0.015);
  parameters.top_k = 1;
  EXPECT_EQ(Frequencies(parameters, {1.0F, 1.0F}, 50).size(), 1U);
  parameters.top_k = 100;  // more than there are
  EXPECT_EQ(Frequencies(parameters, LogitsOf({0.4, 0.6})).size(), 2U);
}

TEST(Sampler, TopPKeepsTheFewestThatReachTheMass) {
  SamplingParameters parameters = Plain();
  const std::vector<float> logits = LogitsOf({0.1, 0.5, 0.15, 0.25});
  const auto kept = [&](float top_p) {
    parameters.top_p = top_p;
    return Frequencies(parameters, logits, 2000).size();
  };
  EXPECT_EQ(kept(0.4F), 1U);
  EXPECT_EQ(kept(0.6F), 2U);
  EXPECT_EQ(kept(0.8F), 3U);
  EXPECT_EQ(kept(0.95F), 4U);
  EXPECT_EQ(kept(1e-6F), 1U);
}

// Many equal candidates: more than the first piece that is sorted.
TEST(Sampler, TopPOverAFlatDistribution) {
  SamplingParameters parameters = Plain();
  parameters.top_p = 0.5F;
  const auto found = Frequencies(parameters, std::vector<float>(2000, 0.0F), 12000);
  EXPECT_NEAR(static_cast<double>(found.size()), 1000, 2);
  EXPECT_LE(found.rbegin()->first, 1000);  // equals go by their number
}

TEST(Sampler, MinPIsRelativeToTheBest) {
  SamplingParameters parameters = Plain();
  parameters.min_p = 0.25F;
  const auto found = Frequencies(parameters, LogitsOf({0.5, 0.3, 0.15, 0.05}), 2000);
  EXPECT_EQ(found.size(), 3U);
  EXPECT_FALSE(found.contains(3));
  parameters.min_p = 1.0F;
  EXPECT_EQ(Frequencies(parameters, LogitsOf({0.5, 0.3, 0.2}), 200).size(), 1U);
}

// top_p sees the distribution before the temperature flattens it.
TEST(Sampler, TemperatureComesLast) {
  SamplingParameters parameters = Plain(50.0F);
  parameters.top_p = 0.85F;
  const auto found = Frequencies(parameters, LogitsOf({0.7, 0.2, 0.1}), 4000);
  EXPECT_EQ(found.size(), 2U);
  EXPECT_NEAR(found.at(0), 0.5, 0.05);
}

TEST(Sampler, RepetitionPenaltyActsOnBothSigns) {
  SamplingParameters parameters = Plain(0);
  parameters.repetition_penalty = 2.0F;
  EXPECT_EQ(Greedy(parameters, {3.0F, 2.0F}), 0);
  EXPECT_EQ(Greedy(parameters, {3.0F, 2.0F}, {0}), 1);        // 1.5 < 2
  EXPECT_EQ(Greedy(parameters, {5.0F, 2.0F}, {0}), 0);        // 2.5 > 2
  EXPECT_EQ(Greedy(parameters, {5.0F, 2.0F}, {0, 0, 0}), 0);  // once, however often
  EXPECT_EQ(Greedy(parameters, {-1.0F, -1.5F}, {0}), 1);      // -2 < -1.5
}

TEST(Sampler, PresenceAndFrequencyPenalties) {
  SamplingParameters parameters = Plain(0);
  parameters.presence_penalty = 1.0F;
  EXPECT_EQ(Greedy(parameters, {2.0F, 1.5F}, {0}), 1);
  EXPECT_EQ(Greedy(parameters, {2.6F, 1.5F}, {0, 0, 0, 0}), 0);
  parameters.presence_penalty = 0.0F;
  parameters.frequency_penalty = 0.4F;
  EXPECT_EQ(Greedy(parameters, {2.0F, 1.5F}, {0}), 0);
  EXPECT_EQ(Greedy(parameters, {2.0F, 1.5F}, {0, 0}), 1);
  parameters.frequency_penalty = -0.4F;  // a reward
  EXPECT_EQ(Greedy(parameters, {2.0F, 1.5F}, {1, 1}), 1);
}

TEST(Sampler, PenaltiesForgetWhatIsLongAgo) {
  SamplingParameters parameters = Plain(0);
  parameters.presence_penalty = 1.0F;
  parameters.penalty_last_n = 2;
  EXPECT_EQ(Greedy(parameters, {2.0F, 1.5F, 0.0F}, {0, 2}), 1);
  EXPECT_EQ(Greedy(parameters, {2.0F, 1.5F, 0.0F}, {0, 2, 2}), 0);
  parameters.penalty_last_n = 0;
  EXPECT_EQ(Greedy(parameters, {2.0F, 1.5F, 0.0F}, {0, 0}), 0);
}

TEST(Sampler, SampledTokensArePenalisedToo) {
  SamplingParameters parameters = Plain(0);
  parameters.frequency_penalty = 1.0F;
  Sampler sampler(parameters, 3);
  const std::vector<float> logits = {2.0F, 1.5F, 0.9F};
  std::vector<std::int32_t> tokens;
  for (int i = 0; i < 5; ++i) tokens.push_back(sampler.Sample(logits, -1)->token.value);
  EXPECT_THAT(tokens, ElementsAre(0, 1, 0, 2, 1));
}

TEST(Sampler, LogitBiasAddsAndBans) {
  SamplingParameters parameters = Plain(0);
  parameters.logit_bias = {{TokenId{2}, 5.0F}};
  EXPECT_EQ(Greedy(parameters, {2.0F, 1.5F, 0.0F}), 2);
  parameters.logit_bias = {{TokenId{0}, -kInfinity}};
  EXPECT_EQ(Greedy(parameters, {2.0F, 1.5F, 0.0F}), 1);
  parameters.temperature = 1.0F;
  EXPECT_FALSE(Frequencies(parameters, {2.0F, 1.5F, 0.0F}, 2000).contains(0));
}

TEST(Sampler, BanningEveryTokenIsAnError) {
  for (const float temperature : {0.0F, 1.0F}) {
    SamplingParameters parameters = Plain(temperature);
    parameters.logit_bias = {{TokenId{0}, -kInfinity}, {TokenId{1}, -kInfinity}};
    Sampler sampler(parameters, 2);
    const auto sampled = sampler.Sample(std::vector<float>{1.0F, 2.0F}, -1);
    ASSERT_FALSE(sampled);
    EXPECT_EQ(sampled.error().code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(sampled.error().message(), HasSubstr("logit_bias"));
  }
}

TEST(Sampler, SeedsDetermineTheTokens) {
  const std::vector<float> logits(50, 0.0F);
  const auto draw = [&](std::uint64_t seed) {
    SamplingParameters parameters = Plain();
    parameters.seed = seed;
    Sampler sampler(parameters, 50);
    std::vector<std::int32_t> tokens;
    for (int i = 0; i < 20; ++i) tokens.push_back(sampler.Sample(logits, -1)->token.value);
    return tokens;
  };
  EXPECT_EQ(draw(3), draw(3));
  EXPECT_NE(draw(3), draw(4));
}

TEST(Sampler, NanIsNeverChosen) {
  EXPECT_EQ(Greedy(Plain(0), {kNan, -5.0F, kNan}), 1);
  SamplingParameters parameters;  // the defaults, all filters on
  EXPECT_THAT(Frequencies(parameters, {kNan, 1.0F, kNan, 1.0F}, 500),
              ElementsAre(testing::Key(1), testing::Key(3)));
}

TEST(Sampler, OnlyNanIsAnError) {
  for (const float temperature : {0.0F, 0.8F}) {
    Sampler sampler(Plain(temperature), 3);
    const auto sampled = sampler.Sample(std::vector<float>(3, kNan), 2);
    ASSERT_FALSE(sampled);
    EXPECT_EQ(sampled.error().code(), StatusCode::kInternal);
    EXPECT_THAT(sampled.error().message(), HasSubstr("NaN"));
  }
}

TEST(Sampler, InfinityWins) {
  SamplingParameters parameters;
  EXPECT_THAT(Frequencies(parameters, {1.0F, kInfinity, 3.0F}, 50), ElementsAre(testing::Key(1)));
  EXPECT_EQ(Frequencies(Plain(), {kInfinity, kInfinity, 3.0F}, 500).size(), 2U);
}

TEST(Sampler, LogProbabilitiesAreTheModelsOwn) {
  SamplingParameters parameters = Plain(0);
  parameters.logit_bias = {{TokenId{2}, 50.0F}};
  Sampler sampler(parameters, 4);
  const auto sampled = sampler.Sample(LogitsOf({0.1, 0.6, 0.05, 0.25}), 3);
  ASSERT_TRUE(sampled);
  EXPECT_EQ(sampled->token.value, 2);
  EXPECT_NEAR(sampled->logprob, std::log(0.05), 1e-5);
  ASSERT_EQ(sampled->top.size(), 3U);
  EXPECT_EQ(sampled->top[0].token.value, 1);
  EXPECT_NEAR(sampled->top[0].logprob, std::log(0.6), 1e-5);
  EXPECT_EQ(sampled->top[1].token.value, 3);
  EXPECT_EQ(sampled->top[2].token.value, 0);
  EXPECT_TRUE(sampler.Sample(LogitsOf({0.1, 0.6, 0.05, 0.25}), 0)->top.empty());
}

TEST(LogProbabilities, WithNanAndMoreAskedForThanThereAre) {
  const std::vector<float> logits = {0.0F, kNan, 0.0F};
  const SampledToken scored = LogProbabilities(logits, TokenId{2}, 20);
  EXPECT_NEAR(scored.logprob, std::log(0.5), 1e-6);
  ASSERT_EQ(scored.top.size(), 3U);
  EXPECT_EQ(scored.top[0].token.value, 0);
  EXPECT_EQ(scored.top[2].logprob, -kInfinity);
  EXPECT_EQ(LogProbability(logits, TokenId{1}), -kInfinity);
}

struct BadParameter {
  std::string field;
  std::string value;  // as the message shows it
  std::function<void(SamplingParameters&)> set;
};

class SamplingErrors : public testing::TestWithParam<BadParameter> {};

TEST_P(SamplingErrors, NameFieldAndValue) {
  SamplingParameters parameters;
  GetParam().set(parameters);
  const Status status = ValidateSampling(parameters, 100);
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("sampling." + GetParam().field + ":"));
  EXPECT_THAT(status.message(), HasSubstr(GetParam().value));
  EXPECT_THAT(status.message(), HasSubstr("; accepted: "));
  EXPECT_EQ(status.field(), "sampling." + GetParam().field);
}

using P = SamplingParameters;
std::function<void(P&)> Bias(std::int32_t token, float bias) {
  return [=](P& p) { p.logit_bias.push_back({TokenId{token}, bias}); };
}
const BadParameter kBadParameters[] = {
    {"temperature", "-0.1", [](P& p) { p.temperature = -0.1F; }},
    {"temperature", "101", [](P& p) { p.temperature = 101; }},
    {"temperature", "nan", [](P& p) { p.temperature = kNan; }},
    {"temperature", "inf", [](P& p) { p.temperature = kInfinity; }},
    {"top_p", "0", [](P& p) { p.top_p = 0; }},
    {"top_p", "1.5", [](P& p) { p.top_p = 1.5F; }},
    {"min_p", "-1", [](P& p) { p.min_p = -1; }},
    {"min_p", "2", [](P& p) { p.min_p = 2; }},
    {"repetition_penalty", "0", [](P& p) { p.repetition_penalty = 0; }},
    {"repetition_penalty", "11", [](P& p) { p.repetition_penalty = 11; }},
    {"presence_penalty", "3", [](P& p) { p.presence_penalty = 3; }},
    {"frequency_penalty", "-3", [](P& p) { p.frequency_penalty = -3; }},
    {"penalty_last_n", "70000", [](P& p) { p.penalty_last_n = 70000; }},
    {"logit_bias", "100", Bias(100, 1)},
    {"logit_bias", "-1", Bias(-1, 1)},
    {"logit_bias", "nan", Bias(1, kNan)},
    {"logit_bias", "bias 1000.5 for token 1", Bias(1, 1000.5F)},
    {"logit_bias", "bias -1000.5 for token 1", Bias(1, -1000.5F)},
    {"logit_bias", "inf", Bias(1, kInfinity)},
    {"logit_bias", "1025", [](P& p) { p.logit_bias.resize(1025); }},
};
INSTANTIATE_TEST_SUITE_P(All, SamplingErrors, testing::ValuesIn(kBadParameters));

TEST(ValidateSampling, TakesTheBordersOfTheRanges) {
  EXPECT_TRUE(ValidateSampling({}, 100).ok());
  SamplingParameters parameters;
  parameters.temperature = 0;
  parameters.top_p = 1e-9F;
  parameters.min_p = 1;
  parameters.repetition_penalty = 10;
  parameters.presence_penalty = -2;
  parameters.frequency_penalty = 2;
  parameters.penalty_last_n = 65536;
  parameters.logit_bias = {
      {TokenId{99}, -kInfinity}, {TokenId{0}, -1000.0F}, {TokenId{1}, 1000.0F}};
  EXPECT_TRUE(ValidateSampling(parameters, 100).ok());
}

}  // namespace
}  // namespace edgemoe
