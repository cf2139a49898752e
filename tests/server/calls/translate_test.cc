// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/base/byte_size.h"
#include "server/calls/request_log.h"
#include "server/calls/retry_delay.h"
#include "server/calls/translate/descriptions.h"
#include "server/calls/translate/events.h"
#include "server/calls/translate/requests.h"
#include "tests/server/fake_engine.h"

namespace edgemoe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::uint64_t FixedSeed() { return 77; }

TEST(TranslateRequestsTest, AbsentFieldsAreTheEnginesDefaults) {
  v1::CompleteRequest request;
  request.set_prompt("p");
  const auto generate = ToGenerateRequest(request, {}, FixedSeed);
  ASSERT_TRUE(generate);
  const SamplingParameters defaults;
  EXPECT_EQ(generate->sampling.temperature, defaults.temperature);
  EXPECT_EQ(generate->sampling.top_k, defaults.top_k);
  EXPECT_EQ(generate->sampling.top_p, defaults.top_p);
  EXPECT_EQ(generate->sampling.min_p, defaults.min_p);
  EXPECT_EQ(generate->sampling.repetition_penalty, defaults.repetition_penalty);
  EXPECT_EQ(generate->sampling.penalty_last_n, defaults.penalty_last_n);
  EXPECT_EQ(generate->sampling.seed, 77U);
  EXPECT_FALSE(generate->stop.max_tokens);
  EXPECT_EQ(generate->top_logprob_count, -1);
  EXPECT_EQ(std::get<std::string>(generate->prompt), "p");
}

TEST(TranslateRequestsTest, AbsentFieldsAreTheModelsDefaults) {
  v1::ChatRequest request;
  request.mutable_sampling()->set_top_p(0.5F);
  SamplingParameters defaults;
  defaults.temperature = 0.6F;
  defaults.top_k = 20;
  defaults.top_p = 0.9F;
  defaults.penalty_last_n = 7;
  const auto generate = ToGenerateRequest(request, defaults, FixedSeed);
  ASSERT_TRUE(generate);
  EXPECT_EQ(generate->sampling.temperature, 0.6F);
  EXPECT_EQ(generate->sampling.top_k, 20U);
  EXPECT_EQ(generate->sampling.top_p, 0.5F) << "the request says it";
  EXPECT_EQ(generate->sampling.penalty_last_n, 7U);
  EXPECT_EQ(generate->sampling.seed, 77U);
}

TEST(TranslateRequestsTest, EveryFieldArrives) {
  v1::CompleteRequest request;
  request.mutable_prompt_tokens()->add_ids(4);
  v1::Sampling& sampling = *request.mutable_sampling();
  sampling.set_temperature(0);
  sampling.set_top_k(0);
  sampling.set_top_p(0.5F);
  sampling.set_min_p(0.25F);
  sampling.set_repetition_penalty(1.5F);
  sampling.set_presence_penalty(-1);
  sampling.set_frequency_penalty(2);
  sampling.set_penalty_last_n(0);
  sampling.set_seed(0);
  sampling.add_logit_bias()->set_token(9);
  sampling.mutable_logit_bias(0)->set_bias(-3);
  v1::Stopping& stopping = *request.mutable_stopping();
  stopping.set_max_tokens(0);
  stopping.add_sequences("end");
  stopping.add_tokens(8);
  stopping.set_time_limit_seconds(0.0121);
  stopping.set_ignore_end_of_generation(true);
  request.mutable_response()->set_top_logprobs(0);
  const auto generate = ToGenerateRequest(request, {}, FixedSeed);
  ASSERT_TRUE(generate);
  EXPECT_THAT(std::get<std::vector<TokenId>>(generate->prompt), ElementsAre(TokenId{4}));
  EXPECT_EQ(generate->sampling.temperature, 0);
  EXPECT_EQ(generate->sampling.top_k, 0U);
  EXPECT_EQ(generate->sampling.top_p, 0.5F);
  EXPECT_EQ(generate->sampling.min_p, 0.25F);
  EXPECT_EQ(generate->sampling.repetition_penalty, 1.5F);
  EXPECT_EQ(generate->sampling.presence_penalty, -1);
  EXPECT_EQ(generate->sampling.frequency_penalty, 2);
  EXPECT_EQ(generate->sampling.penalty_last_n, 0U);
  EXPECT_EQ(generate->sampling.seed, 0U);
  ASSERT_EQ(generate->sampling.logit_bias.size(), 1U);
  EXPECT_EQ(generate->sampling.logit_bias[0].token, TokenId{9});
  EXPECT_EQ(generate->sampling.logit_bias[0].bias, -3);
  EXPECT_EQ(generate->stop.max_tokens, 0U);
  EXPECT_THAT(generate->stop.sequences, ElementsAre("end"));
  EXPECT_THAT(generate->stop.tokens, ElementsAre(TokenId{8}));
  EXPECT_EQ(generate->stop.time_limit_ms, 13U) << "rounded up";
  EXPECT_TRUE(generate->stop.ignore_end_of_generation);
  EXPECT_EQ(generate->top_logprob_count, 0);
}

TEST(TranslateRequestsTest, BoundsConversations) {
  v1::ChatRequest request;
  for (int i = 0; i <= kMessagesMax; ++i) request.add_messages()->set_role("user");
  EXPECT_THAT(ToConversation(request).error().message(),
              HasSubstr("messages: found 4097; accepted: [1, 4096]"));
  request.mutable_messages()->DeleteSubrange(0, 1);
  EXPECT_TRUE(ToConversation(request));
  for (int i = 0; i <= kTemplateVariablesMax; ++i)
    (*request.mutable_template_variables())[std::to_string(i)] = "1";
  EXPECT_THAT(ToConversation(request).error().message(), HasSubstr("template_variables: found 65"));
}

TEST(TranslateRequestsTest, TimeLimitsAreBounded) {
  v1::CompleteRequest request;
  request.set_prompt("a");
  for (const double seconds : {-1.0, 4294968.0, std::numeric_limits<double>::quiet_NaN()}) {
    request.mutable_stopping()->set_time_limit_seconds(seconds);
    EXPECT_EQ(ToGenerateRequest(request, {}, FixedSeed).error().field(),
              "stopping.time_limit_seconds")
        << seconds;
  }
  request.mutable_stopping()->set_time_limit_seconds(kTimeLimitSecondsMax);
  EXPECT_TRUE(ToGenerateRequest(request, {}, FixedSeed));
}

TEST(TranslateRequestsTest, PartsOfAMessageAreOneText) {
  v1::ChatRequest request;
  v1::ChatMessage& message = *request.add_messages();
  message.set_role("user");
  message.add_content()->set_text("What is");
  message.add_content()->set_text(" this?");
  EXPECT_EQ(ToConversation(request)->messages[0].content, "What is this?");
  message.add_content()->mutable_image()->set_mime_type("image/png");
  const Status image = ToConversation(request).error();
  EXPECT_EQ(image.field(), "messages[0].content[2]");
  EXPECT_THAT(image.message(), HasSubstr("found an image"));
  message.mutable_content(2)->clear_image();
  EXPECT_THAT(ToConversation(request).error().message(),
              HasSubstr("messages[0].content[2]: not set"));
}

TEST(TranslateRequestsTest, ScoreNeedsAnInput) {
  v1::ScoreRequest request;
  EXPECT_THAT(ToScoreRequest(request).error().message(), HasSubstr("input: not set"));
  request.mutable_tokens()->add_ids(3);
  request.set_top_logprobs(21);
  EXPECT_THAT(ToScoreRequest(request).error().message(), HasSubstr("top_logprobs: found 21"));
  request.set_top_logprobs(20);
  EXPECT_EQ(ToScoreRequest(request)->top_logprob_count, 20U);
}

TEST(TranslateEventsTest, FinishedTellsReasonAndAccounts) {
  FakeEngine engine({});
  GenerateTranslator<v1::CompleteResponse> translate(engine, "00ab", 5, false);
  StartedEvent started{.request = RequestId{3}, .prompt_tokens = 10, .cached_tokens = 4};
  EXPECT_TRUE(translate(WaitingEvent())->has_waiting());
  EXPECT_EQ(translate(started)->started().seed(), 5U);
  EXPECT_EQ(translate(started)->started().request_id(), "00ab");
  FinishedEvent event;
  event.reason = FinishReason::kStopToken;
  event.stop_token = TokenId{2};
  event.prompt_tokens = 10;
  event.completion_tokens = 20;
  event.timings = {.queue_ns = 1'000'000, .prompt_ns = 2'000'000'000, .decode_ns = 4'000'000'000};
  event.io = {.experts_used = 8, .expert_hits = 6, .bytes_read = 4096, .wait_ns = 5'000'000};
  const v1::CompleteResponse response = *translate(event);
  const v1::Finished& finished = response.finished();
  EXPECT_EQ(finished.reason(), v1::FINISH_REASON_STOP_TOKEN);
  EXPECT_EQ(finished.stop_token(), 2);
  EXPECT_EQ(finished.usage().cached_tokens(), 4U);
  EXPECT_DOUBLE_EQ(finished.timings().queue_seconds(), 0.001);
  EXPECT_DOUBLE_EQ(finished.timings().prompt_tokens_per_second(), 3) << "of those not cached";
  EXPECT_DOUBLE_EQ(finished.timings().decode_tokens_per_second(), 4.75);
  EXPECT_EQ(finished.io().expert_hits(), 6U);
  EXPECT_DOUBLE_EQ(finished.io().wait_seconds(), 0.005);
}

TEST(TranslateEventsTest, TheFirstTokenBelongsToThePrompt) {
  FinishedEvent event;
  event.timings.decode_ns = 1'000'000;  // of which most is telling the end
  for (const std::uint32_t tokens : {0U, 1U}) {
    event.completion_tokens = tokens;
    EXPECT_EQ(DecodeTokensPerSecond(event), 0) << tokens;
  }
  event.completion_tokens = 2;
  event.timings.decode_ns = 500'000'000;
  EXPECT_DOUBLE_EQ(DecodeTokensPerSecond(event), 2) << "one more in half a second";
}

TEST(TranslateEventsTest, EveryReasonHasItsName) {
  EXPECT_EQ(ToApi(FinishReason::kStopToken), v1::FINISH_REASON_STOP_TOKEN);
  EXPECT_EQ(ToApi(FinishReason::kStopSequence), v1::FINISH_REASON_STOP_SEQUENCE);
  EXPECT_EQ(ToApi(FinishReason::kMaxTokens), v1::FINISH_REASON_MAX_TOKENS);
  EXPECT_EQ(ToApi(FinishReason::kTimeLimit), v1::FINISH_REASON_TIME_LIMIT);
  EXPECT_EQ(ToApi(FinishReason::kCancelled), v1::FINISH_REASON_CANCELLED);
  EXPECT_EQ(ToApi(FinishReason::kContextFull), v1::FINISH_REASON_CONTEXT_FULL);
  EXPECT_EQ(ToApi(FinishReason::kError), v1::FINISH_REASON_ERROR);
}

TEST(RequestLogTest, OneLineWithoutText) {
  FinishedEvent event;
  event.reason = FinishReason::kStopSequence;
  event.stop_sequence = "secret";
  event.text = "secret";
  event.prompt_tokens = 12;
  event.completion_tokens = 50;
  event.timings.decode_ns = 5'000'000'000;
  event.io = {.experts_used = 10, .expert_hits = 9, .bytes_read = 1024, .wait_ns = 0};
  event.timings.queue_ns = 250'000'000;
  const std::string line =
      FormatFinished({.id = "00ab", .method = "Chat", .peer = "uid 7, pid 9", .model = ""}, event);
  EXPECT_EQ(line,
            "request 00ab: Chat of uid 7, pid 9: STOP_SEQUENCE, 12 + 50 tokens in 5.25 s, "
            "9.8 tok/s, experts 90.0 % hit, " +
                FormatByteSize(1024) + " read");
  EXPECT_THAT(line, Not(HasSubstr("secret")));
}

TEST(RetryDelayTest, FollowsHowLongRequestsRun) {
  RetryDelay delay(2);
  for (int i = 0; i < 100; ++i) delay.Observe(10'000'000'000);
  EXPECT_NEAR(delay.Ms(), 5000, 100);
  for (int i = 0; i < 100; ++i) delay.Observe(1'000'000);
  EXPECT_EQ(delay.Ms(), 100U);
  for (int i = 0; i < 100; ++i) delay.Observe(3'600'000'000'000);
  EXPECT_EQ(delay.Ms(), 30'000U);
}

}  // namespace
}  // namespace edgemoe
