// SPDX-License-Identifier: Apache-2.0
//
// Every rpc of a daemon that keeps a quarter of its experts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <memory>

#include "tests/e2e/answers.h"
#include "tests/support/daemon_process.h"

namespace edgemoe {
namespace {

using client::StatusCode;
using testing::AnyOf;
using testing::HasSubstr;

constexpr const char* kStory = "Once upon a time there was a little";

class E2eApiTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<TempFolder>();
    daemon_ = std::make_unique<DaemonProcess>(*folder_ / "d.sock",
                                              std::vector<std::string>{"--expert-budget", "12MiB"});
    ASSERT_TRUE(daemon_->WaitReady()) << daemon_->log();
  }

  static void TearDownTestSuite() {
    EXPECT_EQ(daemon_->Stop(), 0) << daemon_->log();
    daemon_.reset();
    folder_.reset();
  }

  static inline std::unique_ptr<TempFolder> folder_;
  static inline std::unique_ptr<DaemonProcess> daemon_;
  client::Client client_ = daemon_->Connect();
};

TEST_F(E2eApiTest, CompleteStreamsWhatItAccountsFor) {
  const ReceivedAnswer answer = Receive(client_.Complete(Greedy(kStory, 24)));
  ASSERT_TRUE(answer.status.ok()) << answer.status.ToString();
  EXPECT_EQ(answer.started_count, 1);
  EXPECT_EQ(answer.finished_count, 1);
  EXPECT_EQ(answer.started.request_id().size(), 16u);
  EXPECT_GT(answer.started.prompt_tokens(), 3u);
  EXPECT_EQ(answer.finished.reason(), v1::FINISH_REASON_MAX_TOKENS);
  EXPECT_EQ(answer.tokens.size(), 24u);
  EXPECT_EQ(answer.finished.usage().completion_tokens(), 24u);
  EXPECT_EQ(answer.finished.usage().prompt_tokens(), answer.started.prompt_tokens());
  EXPECT_GT(answer.finished.io().experts_used(), 0u);
  EXPECT_LE(answer.finished.io().expert_hits(), answer.finished.io().experts_used());
  EXPECT_GT(answer.finished.timings().decode_tokens_per_second(), 0);

  v1::DetokenizeRequest detokenize;
  detokenize.mutable_tokens()->Add(answer.tokens.begin(), answer.tokens.end());
  EXPECT_EQ(client_.Detokenize(detokenize)->text(), answer.text);
}

TEST_F(E2eApiTest, TheSameSeedGivesTheSameAnswer) {
  v1::CompleteRequest request = Greedy(kStory, 24);
  request.mutable_sampling()->set_temperature(1);
  request.mutable_sampling()->set_seed(42);
  const ReceivedAnswer first = Receive(client_.Complete(request));
  const ReceivedAnswer second = Receive(client_.Complete(request));
  EXPECT_EQ(first.tokens, second.tokens);
  EXPECT_EQ(first.started.seed(), 42u);
  request.mutable_sampling()->clear_seed();
  const ReceivedAnswer drawn = Receive(client_.Complete(request));
  request.mutable_sampling()->set_seed(drawn.started.seed());
  EXPECT_EQ(Receive(client_.Complete(request)).tokens, drawn.tokens);
}

TEST_F(E2eApiTest, ChatIsCompleteOnTheTemplatesPrompt) {
  v1::ChatRequest chat;
  v1::ChatMessage* message = chat.add_messages();
  message->set_role("user");
  message->add_content()->set_text("Tell me a story.");
  *chat.mutable_sampling() = Greedy("", 16).sampling();
  *chat.mutable_stopping() = Greedy("", 16).stopping();
  const ReceivedAnswer answer = Receive(client_.Chat(chat));
  ASSERT_TRUE(answer.status.ok()) << answer.status.ToString();

  v1::ApplyTemplateRequest apply;
  *apply.add_messages() = *message;
  const auto prompt = client_.ApplyTemplate(apply);
  ASSERT_TRUE(prompt);
  EXPECT_THAT(prompt->prompt(), HasSubstr("Tell me a story."));
  EXPECT_EQ(Receive(client_.Complete(Greedy(prompt->prompt(), 16))).tokens, answer.tokens);
}

TEST_F(E2eApiTest, ToolsAreRefusedWhereTheTemplateTakesNone) {
  v1::ChatRequest chat;
  v1::ChatMessage* message = chat.add_messages();
  message->set_role("user");
  message->add_content()->set_text("Tell me a story.");
  chat.add_tools()->set_name("look");
  const ReceivedAnswer answer = Receive(client_.Chat(chat));
  EXPECT_EQ(answer.status.code, client::StatusCode::kInvalidArgument);
  EXPECT_EQ(answer.status.field, "tools");
}

TEST_F(E2eApiTest, EmbedGivesAVectorForEachTextAndAccountsForIt) {
  v1::EmbedRequest request;
  for (const char* text : {kStory, "13:22 INFO prefetch layer=1", kStory}) request.add_texts(text);
  client::EmbedStream stream = client_.Embed(request);
  std::vector<v1::Embedding> embeddings;
  v1::EmbedFinished finished;
  for (v1::EmbedResponse message; stream.Next(message);) {
    if (message.has_embedding()) embeddings.push_back(message.embedding());
    if (message.has_finished()) finished = message.finished();
  }
  const client::Status status = stream.Finish();
  ASSERT_TRUE(status.ok()) << status.ToString();
  ASSERT_EQ(embeddings.size(), 3u);
  const auto cosine = [&](std::size_t a, std::size_t b) {
    double sum = 0;
    for (int i = 0; i < embeddings[a].values_size(); ++i)
      sum += double{embeddings[a].values(i)} * double{embeddings[b].values(i)};
    return sum;
  };
  EXPECT_NEAR(cosine(0, 2), 1, 1e-5);
  EXPECT_LT(cosine(0, 1), 0.9);
  EXPECT_EQ(finished.usage().prompt_tokens(),
            embeddings[0].tokens() + embeddings[1].tokens() + embeddings[2].tokens());
  EXPECT_GT(finished.io().experts_used(), 0u);

  request.add_texts("");
  client::EmbedStream refused = client_.Embed(request);
  for (v1::EmbedResponse message; refused.Next(message);) ADD_FAILURE() << message.DebugString();
  EXPECT_THAT(refused.Finish().message, HasSubstr("texts[3]: found 0 tokens"));
}

TEST_F(E2eApiTest, StopSequencesEndTheAnswerAndAreNotPartOfIt) {
  const ReceivedAnswer whole = Receive(client_.Complete(Greedy(kStory, 24)));
  const std::string stop = whole.text.substr(whole.text.size() / 2, 4);
  v1::CompleteRequest request = Greedy(kStory, 24);
  request.mutable_stopping()->add_sequences(stop);
  const ReceivedAnswer cut = Receive(client_.Complete(request));
  EXPECT_EQ(cut.finished.reason(), v1::FINISH_REASON_STOP_SEQUENCE);
  EXPECT_EQ(cut.finished.stop_sequence(), stop);
  EXPECT_EQ(cut.text, whole.text.substr(0, whole.text.find(stop)));
}

TEST_F(E2eApiTest, LogprobsAreWhatScoreSays) {
  v1::CompleteRequest request = Greedy(kStory, 8);
  request.mutable_response()->set_top_logprobs(3);
  std::vector<float> generated;
  std::vector<std::int32_t> tokens;
  client::CompleteStream stream = client_.Complete(request);
  for (v1::CompleteResponse message; stream.Next(message);)
    for (const v1::SampledLogprob& logprob : message.chunk().logprobs()) {
      ASSERT_EQ(logprob.top_size(), 3);
      EXPECT_EQ(logprob.sampled().token(), logprob.top(0).token());
      generated.push_back(logprob.sampled().logprob());
      tokens.push_back(logprob.sampled().token());
    }
  ASSERT_EQ(generated.size(), 8u);

  v1::TokenizeRequest tokenize;
  tokenize.set_text(kStory);
  v1::ScoreRequest score;
  const auto prompt = client_.Tokenize(tokenize);
  ASSERT_TRUE(prompt);
  for (const v1::Token& token : prompt->tokens()) score.mutable_tokens()->add_ids(token.id());
  for (const std::int32_t token : tokens) score.mutable_tokens()->add_ids(token);
  std::vector<float> scored;
  v1::ScoreFinished finished;
  const client::Status status = client_.Score(score).ForEach([&](const v1::ScoreResponse& part) {
    for (const v1::SampledLogprob& logprob : part.scored().logprobs())
      scored.push_back(logprob.sampled().logprob());
    if (part.has_finished()) finished = part.finished();
    return true;
  });
  ASSERT_TRUE(status.ok()) << status.ToString();
  ASSERT_EQ(scored.size(), static_cast<std::size_t>(score.tokens().ids_size() - 1));
  double sum = 0;
  for (const float logprob : scored) sum += logprob;
  EXPECT_NEAR(sum, finished.logprob_sum(), 1e-3);
  EXPECT_NEAR(finished.perplexity(), std::exp(-sum / static_cast<double>(scored.size())), 1e-3);
  // One token at a time or all at once: the sums differ in their order of additions only.
  for (std::size_t i = 0; i < generated.size(); ++i)
    EXPECT_NEAR(generated[i], scored[scored.size() - generated.size() + i], 0.02);
}

TEST_F(E2eApiTest, TokensKnowTheirPlaceInTheText) {
  const std::string text = "Caf\xC3\xA9 \xF0\x9F\x98\x80\n\tand 123.";
  v1::TokenizeRequest request;
  request.set_text(text);
  request.set_add_special(false);
  const auto tokens = client_.Tokenize(request);
  ASSERT_TRUE(tokens);
  std::string joined;
  v1::DetokenizeRequest detokenize;
  for (const v1::Token& token : tokens->tokens()) {
    EXPECT_EQ(token.byte_begin(), joined.size());
    joined += token.bytes();
    EXPECT_EQ(token.byte_end(), joined.size());
    detokenize.add_tokens(token.id());
  }
  EXPECT_EQ(joined, text);
  EXPECT_EQ(client_.Detokenize(detokenize)->text(), text);
}

TEST_F(E2eApiTest, ModelsAndPlan) {
  const auto list = client_.ListModels();
  ASSERT_TRUE(list);
  ASSERT_GE(list->models_size(), 1);
  EXPECT_EQ(list->models(0).state(), v1::MODEL_STATE_LOADED);
  EXPECT_EQ(list->models(0).architecture(), "qwen3moe");
  EXPECT_EQ(list->models(0).context_tokens(), 512u);
  EXPECT_EQ(client_.GetModel("")->name(), list->models(0).name());
  const auto unknown = client_.GetModel("no-such-model");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, StatusCode::kNotFound);
  EXPECT_THAT(unknown.error().message, HasSubstr(list->models(0).name()));

  v1::PlanRequest request;
  const auto plan = client_.Plan(request);
  ASSERT_TRUE(plan) << plan.error().ToString();
  EXPECT_TRUE(plan->plan().fits());
  EXPECT_LT(plan->plan().expert_floor_bytes(), plan->plan().expert_total_bytes());
  request.set_budget_bytes(plan->plan().budget_floor_bytes() / 2);
  const auto small = client_.Plan(request);
  ASSERT_TRUE(small) << small.error().ToString();
  EXPECT_FALSE(small->plan().fits());
  EXPECT_FALSE(small->plan().explanation().empty());
}

TEST_F(E2eApiTest, StatsCountWhatHappened) {
  const auto before = client_.GetStats();
  ASSERT_TRUE(before);
  ASSERT_TRUE(Receive(client_.Complete(Greedy(kStory, 8))).status.ok());
  const auto after = client_.GetStats();
  ASSERT_TRUE(after);
  EXPECT_EQ(after->requests().finished(), before->requests().finished() + 1);
  EXPECT_EQ(after->tokens().completion(), before->tokens().completion() + 8);
  EXPECT_GT(after->experts().uses(), before->experts().uses());
  EXPECT_GT(after->experts().hit_rate(), 0);
  EXPECT_LT(after->experts().hit_rate(), 1);
  EXPECT_GT(after->experts().bytes_read(), 0u);
  EXPECT_LT(after->experts().resident(), after->experts().total());
  EXPECT_GT(after->process().peak_resident_bytes(), 0u);
  EXPECT_EQ(after->kv_cache().blocks_used(), 0u);
}

TEST_F(E2eApiTest, AbortEndsARequestOfAnotherConnection) {
  DaemonProcess daemon(*folder_ / "slow.sock", kSlowStorage);
  ASSERT_TRUE(daemon.WaitReady()) << daemon.log();
  client::Client client = daemon.Connect();
  client::CompleteStream stream = client.Complete(Greedy(kStory, 400));
  v1::CompleteResponse message;
  ASSERT_TRUE(stream.Next(message));
  client::Client other = daemon.Connect();
  const std::string id = message.started().request_id();
  const auto live = other.ListRequests();
  ASSERT_TRUE(live);
  ASSERT_EQ(live->requests_size(), 1);
  EXPECT_EQ(live->requests(0).request_id(), id);
  EXPECT_EQ(live->requests(0).method(), "Complete");
  EXPECT_TRUE(other.Abort(id).ok());
  const client::Status ended = stream.Finish();
  EXPECT_EQ(ended.code, StatusCode::kCancelled);
  EXPECT_EQ(ended.reason, "CANCELLED");
  EXPECT_TRUE(WaitUntil([&] { return other.ListRequests()->requests().empty(); }));
  EXPECT_EQ(other.Abort(id).code, StatusCode::kNotFound);
}

TEST_F(E2eApiTest, BadInputNamesTheField) {
  struct Case {
    const char* field;
    std::function<void(v1::CompleteRequest&)> spoil;
  };
  const std::vector<Case> cases = {
      {"prompt", [](auto& r) { r.set_prompt(""); }},
      {"prompt", [](auto& r) { r.clear_input(); }},
      {"prompt", [](auto& r) { r.set_prompt(std::string(20000, 'q')); }},
      {"prompt_tokens", [](auto& r) { r.mutable_prompt_tokens()->add_ids(1 << 30); }},
      {"temperature", [](auto& r) { r.mutable_sampling()->set_temperature(-1); }},
      {"temperature", [](auto& r) { r.mutable_sampling()->set_temperature(NAN); }},
      {"top_p", [](auto& r) { r.mutable_sampling()->set_top_p(0); }},
      {"min_p", [](auto& r) { r.mutable_sampling()->set_min_p(1.5F); }},
      {"repetition_penalty", [](auto& r) { r.mutable_sampling()->set_repetition_penalty(0); }},
      {"presence_penalty", [](auto& r) { r.mutable_sampling()->set_presence_penalty(3); }},
      {"frequency_penalty", [](auto& r) { r.mutable_sampling()->set_frequency_penalty(-3); }},
      {"penalty_last_n", [](auto& r) { r.mutable_sampling()->set_penalty_last_n(1 << 20); }},
      {"logit_bias", [](auto& r) { r.mutable_sampling()->add_logit_bias()->set_token(-1); }},
      {"sequences", [](auto& r) { r.mutable_stopping()->add_sequences(""); }},
      {"tokens", [](auto& r) { r.mutable_stopping()->add_tokens(-1); }},
      {"top_logprobs", [](auto& r) { r.mutable_response()->set_top_logprobs(21); }},
  };
  for (const Case& bad : cases) {
    v1::CompleteRequest request = Greedy(kStory, 4);
    bad.spoil(request);
    const client::Status status = client_.Complete(request).Finish();
    EXPECT_EQ(status.code, StatusCode::kInvalidArgument) << bad.field << ": " << status.ToString();
    EXPECT_THAT(status.message, HasSubstr(bad.field));
    EXPECT_THAT(status.reason, AnyOf("INVALID_FIELD", "CONTEXT_EXCEEDED")) << bad.field;
    EXPECT_FALSE(status.field.empty()) << bad.field;
  }
  v1::CompleteRequest unknown = Greedy(kStory, 4);
  unknown.set_model("no-such-model");
  EXPECT_EQ(client_.Complete(unknown).Finish().code, StatusCode::kNotFound);
  EXPECT_EQ(client_.Chat(v1::ChatRequest()).Finish().code, StatusCode::kInvalidArgument);
  // None of it did harm.
  EXPECT_TRUE(Receive(client_.Complete(Greedy(kStory, 4))).status.ok());
}

TEST_F(E2eApiTest, TheContextsEndEndsTheAnswer) {
  const ReceivedAnswer answer = Receive(client_.Complete(Greedy(kStory, 512)));
  ASSERT_TRUE(answer.status.ok()) << answer.status.ToString();
  EXPECT_EQ(answer.finished.reason(), v1::FINISH_REASON_CONTEXT_FULL);
  EXPECT_LE(answer.finished.usage().prompt_tokens() + answer.tokens.size(), 513u);
}

}  // namespace
}  // namespace edgemoe
