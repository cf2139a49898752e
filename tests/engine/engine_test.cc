// SPDX-License-Identifier: Apache-2.0
//
// The facade on a whole tiny model: what clients may ask, and what happens when they misbehave.
#include "engine/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "engine/options.h"
#include "engine/plan.h"
#include "tests/engine/serving/listener.h"
#include "tests/support/child_process.h"
#include "tests/support/fake_clock.h"
#include "tests/support/models/tiny_model.h"

namespace edgemoe {
namespace {

class EngineTest : public ::testing::Test {
 protected:
  static Result<std::vector<TokenPiece>> Tokens(Engine& engine, std::string text) {
    EDGEMOE_ASSIGN_OR_FAIL(const auto tokens, engine.Tokenize(std::move(text), {}));
    return tokens->Next(1000);
  }
  void SetUp() override {
    options_.model_path = folder_ / "engine_test.gguf";
    ASSERT_TRUE(WriteTinyModel(options_.model_path, {}).ok());
    options_.threads = 2;
    options_.sessions_max = 2;
    options_.queue_max = 4;
    options_.prefill_chunk_tokens = 8;
  }

  Engine& Open() {
    Result<std::unique_ptr<Engine>> opened = Engine::Open(options_);
    EXPECT_TRUE(opened) << opened.error().message();
    engine_ = *std::move(opened);
    return *engine_;
  }

  // A request that never ends by itself, as far as a test lives; its stream is not read.
  std::shared_ptr<Listener> SubmitStuck() {
    auto listener = std::make_shared<Listener>();
    listener->SetCanTake(false);
    EXPECT_TRUE(engine_->Generate(Greedy("stuck", 50), Listener::SinkFor(listener)));
    return listener;
  }

  void ExpectInvalid(GenerateRequest request, const std::string& field, const std::string& detail) {
    Status status;
    EXPECT_EQ(Submit(*engine_, std::move(request), &status), nullptr) << field;
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << field;
    EXPECT_EQ(status.message().find(field), 0U) << status.message();
    EXPECT_NE(status.message().find(detail), std::string::npos) << status.message();
  }

  const TempFolder folder_;
  FakeClock clock_;
  EngineOptions options_;
  std::unique_ptr<Engine> engine_;
};

TEST_F(EngineTest, AnswersAndAccounts) {
  Engine& engine = Open();
  EXPECT_EQ(engine.model().name, "engine_test");
  EXPECT_EQ(engine.model().context_tokens, 256U);
  GenerateRequest request = Greedy("Once upon a time, in a land", 20);
  request.stop.ignore_end_of_generation = true;
  const Answer answer = Submit(engine, request)->Wait();
  ASSERT_EQ(answer.started.size(), 1U);
  EXPECT_EQ(answer.started[0].queue_position, 0U);
  EXPECT_GT(answer.started[0].prompt_tokens, 8U);
  EXPECT_FALSE(answer.progress.empty());
  EXPECT_EQ(answer.tokens.size(), 20U);
  ASSERT_EQ(answer.finished.size(), 1U);
  EXPECT_EQ(answer.reason(), FinishReason::kMaxTokens);
  EXPECT_EQ(answer.finished[0].completion_tokens, 20U);
  const std::uint64_t rows = answer.started[0].prompt_tokens + 19;
  EXPECT_EQ(answer.finished[0].io.experts_used, rows * 2 * 2);  // layers, experts a token
  EXPECT_GT(answer.finished[0].io.bytes_read, 0U);

  const EngineStats stats = engine.GetStats();
  EXPECT_EQ(stats.requests_finished, 1U);
  EXPECT_EQ(stats.requests_failed, 0U);
  EXPECT_EQ(stats.completion_tokens, 20U);
  EXPECT_EQ(stats.prompt_tokens, answer.started[0].prompt_tokens);
  EXPECT_EQ(stats.state_blocks_used, 0U);
  EXPECT_GT(stats.experts_resident, 0U);
  EXPECT_EQ(stats.experts_total, 16U);
  EXPECT_EQ(stats.sessions_running, 0U);
  EXPECT_LE(stats.expert_resident_bytes, stats.memory.expert_bytes);
}

TEST_F(EngineTest, BadRequestsNameTheField) {
  Engine& engine = Open();
  ExpectInvalid(Greedy("", 1), "prompt", "found 0 tokens");
  ExpectInvalid(Greedy("ab\xff", 1), "prompt", "byte 2");
  ExpectInvalid(Greedy(std::string(300, 'x'), 1), "prompt", "accepted: [1, 256]");
  ExpectInvalid(Greedy(std::string(1 << 20, 'x'), 1), "prompt", "1048576 bytes");
  GenerateRequest request = Greedy("a", 1);
  request.prompt = std::vector<TokenId>{};
  ExpectInvalid(request, "prompt_tokens", "found 0 tokens");
  request.prompt = std::vector<TokenId>{TokenId{1}, TokenId{263}};
  ExpectInvalid(request, "prompt_tokens[1]", "accepted: [0, 262]");
  request.prompt = std::vector<TokenId>{TokenId{-1}};
  ExpectInvalid(request, "prompt_tokens[0]", "found -1");
  request = Greedy("a", 1);
  request.sampling.top_p = 0;
  ExpectInvalid(request, "sampling.top_p", "0");
  request = Greedy("a", 1);
  request.top_logprob_count = 21;
  ExpectInvalid(request, "response.top_logprobs", "[0, 20]");
  request = Greedy("a", 1);
  request.stop.sequences = std::vector<std::string>(17, "x");
  ExpectInvalid(request, "stopping.sequences", "17");
  request.stop.sequences = {"x", "y", ""};
  ExpectInvalid(request, "stopping.sequences[2]", "[1, 256]");
  request.stop.sequences = {std::string(257, 'x')};
  ExpectInvalid(request, "stopping.sequences[0]", "257");
  request.stop.sequences = {"\xc3"};
  ExpectInvalid(request, "stopping.sequences[0]", "UTF-8");
  request = Greedy("a", 1);
  request.stop.tokens = std::vector<TokenId>(65);
  ExpectInvalid(request, "stopping.tokens", "65");
  request.stop.tokens = {TokenId{9999}};
  ExpectInvalid(request, "stopping.tokens[0]", "9999");

  auto listener = std::make_shared<Listener>();
  const auto score =
      engine.Score({.text = std::string("x"), .top_logprob_count = 0}, Listener::SinkFor(listener));
  ASSERT_FALSE(score);
  EXPECT_EQ(score.error().code(), StatusCode::kInvalidArgument);
  EXPECT_NE(score.error().message().find("accepted: [2, 256]"), std::string::npos);
  EXPECT_EQ(listener.use_count(), 1);  // the sink is gone, uncalled
}

TEST_F(EngineTest, ScoreAgreesWithTheLogprobsOfGenerating) {
  Engine& engine = Open();
  GenerateRequest request = Greedy("The cat in the", 24);
  request.stop.ignore_end_of_generation = true;
  request.top_logprob_count = 2;
  const Answer generated = Submit(engine, request)->Wait();
  ASSERT_EQ(generated.logprobs.size(), 24U);

  std::vector<TokenId> tokens;
  const auto pieces = Tokens(engine, "The cat in the");
  ASSERT_TRUE(pieces);
  for (const TokenPiece& piece : *pieces) tokens.push_back(piece.token);
  const std::size_t prompt_tokens = tokens.size();
  tokens.insert(tokens.end(), generated.tokens.begin(), generated.tokens.end());
  auto listener = std::make_shared<Listener>();
  ASSERT_TRUE(engine.Score({.text = tokens, .top_logprob_count = 2}, Listener::SinkFor(listener)));
  const Answer scored = listener->Wait();
  EXPECT_EQ(scored.reason(), FinishReason::kMaxTokens);
  ASSERT_EQ(scored.logprobs.size(), tokens.size() - 1);
  for (std::size_t i = 0; i < generated.logprobs.size(); ++i) {
    const SampledToken& score = scored.logprobs[prompt_tokens - 1 + i];
    EXPECT_EQ(score.token, generated.tokens[i]);
    EXPECT_EQ(score.logprob, generated.logprobs[i].logprob);
    EXPECT_EQ(score.top.at(0).token, generated.tokens[i]);  // greedy
    EXPECT_EQ(score.top.at(1).logprob, generated.logprobs[i].top.at(1).logprob);
  }
}

Answer Embedded(Engine& engine, EmbedRequest request) {
  auto listener = std::make_shared<Listener>();
  const auto id = engine.Embed(std::move(request), Listener::SinkFor(listener));
  EXPECT_TRUE(id) << id.error().ToString();
  return listener->Wait();
}

TEST_F(EngineTest, ATextsVectorDependsOnNothingBesideIt) {
  Engine& engine = Open();
  const std::string long_text(100, 'q');
  const auto generated = Submit(engine, Greedy("The cat in the", 40));
  const Answer together =
      Embedded(engine, {.texts = {"a cat", long_text, "a cat"}, .parameters = {}});
  ASSERT_EQ(together.embeddings.size(), 3U);
  EXPECT_EQ(together.embeddings[0].values, together.embeddings[2].values);
  EXPECT_NE(together.embeddings[0].values, together.embeddings[1].values);
  generated->Wait();
  // Short ones share steps.
  const std::vector<std::string> short_texts = {"a cat",      "at", "the",  "a",
                                                "in the cat", "q",  "a cat"};
  const Answer shared = Embedded(engine, {.texts = short_texts, .parameters = {}});
  ASSERT_EQ(shared.embeddings.size(), short_texts.size());
  for (std::size_t i = 0; i < short_texts.size(); ++i) {
    const Answer one = Embedded(engine, {.texts = {short_texts[i]}, .parameters = {}});
    EXPECT_EQ(one.embeddings.at(0).values, shared.embeddings[i].values) << short_texts[i];
  }
  const Answer alone = Embedded(engine, {.texts = {long_text}, .parameters = {}});
  EXPECT_EQ(alone.embeddings.at(0).values, together.embeddings[1].values);

  double squares = 0;
  for (const float value : alone.embeddings[0].values) squares += double{value} * double{value};
  EXPECT_NEAR(squares, 1, 1e-5);
  const Answer raw = Embedded(
      engine,
      {.texts = {"a cat", "at"}, .parameters = {.pooling = Pooling::kLast, .normalize = false}});
  EXPECT_NE(raw.embeddings.at(0).values, raw.embeddings.at(1).values);
  EXPECT_EQ(engine.GetStats().state_blocks_used, 0U);
}

TEST_F(EngineTest, TextsToEmbedAreBounded) {
  Engine& engine = Open();
  const auto refusal = [&](std::vector<std::string> texts) {
    auto listener = std::make_shared<Listener>();
    const auto id =
        engine.Embed({.texts = std::move(texts), .parameters = {}}, Listener::SinkFor(listener));
    EXPECT_FALSE(id);
    return id ? std::string() : id.error().ToString();
  };
  EXPECT_THAT(refusal({}), testing::HasSubstr("texts: found 0; accepted: [1, 256]"));
  EXPECT_THAT(refusal(std::vector<std::string>(257, "a")), testing::HasSubstr("texts: found 257"));
  EXPECT_THAT(refusal({"a", ""}), testing::HasSubstr("texts[1]: found 0 tokens"));
  EXPECT_THAT(refusal({"a", "\xff"}), testing::HasSubstr("texts[1]"));
  EXPECT_THAT(refusal({std::string(1000, 'x')}), testing::HasSubstr("texts[0]"));
}

TEST_F(EngineTest, AStopSequenceOfTheAnswerCutsIt) {
  Engine& engine = Open();
  GenerateRequest request = Greedy("abc", 40);
  request.stop.ignore_end_of_generation = true;
  const std::string whole = Submit(engine, request)->Wait().text;
  // Some two characters in the middle; characters may be several bytes long.
  const auto boundary = [&](std::size_t at) {
    while (at < whole.size() && (static_cast<unsigned char>(whole[at]) & 0xC0) == 0x80) ++at;
    return at;
  };
  const std::size_t begin = boundary(whole.size() / 2);
  const std::size_t end = boundary(boundary(begin + 1) + 1);
  ASSERT_LT(begin, end);
  request.stop.sequences = {whole.substr(begin, end - begin)};
  const Answer cut = Submit(engine, request)->Wait();
  EXPECT_EQ(cut.reason(), FinishReason::kStopSequence);
  EXPECT_EQ(cut.finished[0].stop_sequence, request.stop.sequences[0]);
  EXPECT_EQ(cut.text, whole.substr(0, whole.find(request.stop.sequences[0])));
}

TEST_F(EngineTest, AbortEndsARunningRequestAndThenKnowsItNoMore) {
  Engine& engine = Open();
  auto listener = std::make_shared<Listener>();
  listener->on_chunk = [&engine](RequestId id) { (void)engine.Abort(id); };
  GenerateRequest request = Greedy("abc", std::nullopt);
  request.stop.ignore_end_of_generation = true;
  const Result<RequestId> id = engine.Generate(request, Listener::SinkFor(listener));
  ASSERT_TRUE(id);
  const Answer answer = listener->Wait();
  EXPECT_EQ(answer.reason(), FinishReason::kCancelled);
  EXPECT_EQ(answer.status().code(), StatusCode::kCancelled);
  EXPECT_EQ(answer.tokens.size(), 1U);
  EXPECT_EQ(engine.Abort(*id).code(), StatusCode::kNotFound);
}

TEST_F(EngineTest, TheTimeLimitEndsARequest) {
  options_.io_faults = "slow:ms=5";
  Engine& engine = Open();
  GenerateRequest request = Greedy("abc", std::nullopt);
  request.stop.time_limit_ms = 1;
  const Answer answer = Submit(engine, request)->Wait();
  EXPECT_EQ(answer.reason(), FinishReason::kTimeLimit);
  EXPECT_TRUE(answer.status().ok());
  EXPECT_LE(answer.tokens.size(), 1U);
}

TEST_F(EngineTest, OverloadIsRefusedAndThePlaceComesBack) {
  options_.sessions_max = 1;
  options_.queue_max = 2;
  Engine& engine = Open();
  auto stuck = SubmitStuck();
  while (engine.GetStats().sessions_running != 1) std::this_thread::yield();
  auto first = Submit(engine, Greedy("a", 1));
  auto second = Submit(engine, Greedy("b", 1));
  ASSERT_TRUE(first && second);
  Status status;
  EXPECT_EQ(Submit(engine, Greedy("c", 1), &status), nullptr);
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(engine.GetStats().requests_refused, 1U);
  EXPECT_EQ(engine.GetStats().sessions_queued, 2U);

  stuck->SetCanTake(true);
  engine.Wake();
  EXPECT_EQ(second->Wait().started[0].queue_position, 2U);
  EXPECT_EQ(first->Wait().started[0].queue_position, 1U);
  EXPECT_NE(Submit(engine, Greedy("c", 1), &status), nullptr);
}

TEST_F(EngineTest, AThousandRequestsAtOnceAreBounded) {
  options_.queue_max = 16;
  Engine& engine = Open();
  std::atomic<int> finished{0};
  std::atomic<int> refused{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&] {
      std::vector<std::shared_ptr<Listener>> taken;
      for (int j = 0; j < 250; ++j) {
        Status status;
        if (auto listener = Submit(engine, Greedy("hello", 2), &status)) {
          taken.push_back(std::move(listener));
        } else {
          EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
          ++refused;
        }
      }
      for (const auto& listener : taken) {
        EXPECT_EQ(listener->Wait().finished.size(), 1U);
        ++finished;
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(finished + refused, 1000);
  EXPECT_GE(finished.load(), 18);
  EXPECT_EQ(engine.GetStats().requests_refused, static_cast<std::uint64_t>(refused.load()));
}

TEST_F(EngineTest, AStreamThatNobodyReadsIsEndedAndOthersGoOn) {
  options_.stall_timeout_ms = 100;
  options_.clock = &clock_;
  Engine& engine = Open();
  auto stuck = SubmitStuck();
  EXPECT_EQ(Submit(engine, Greedy("abc", 5))->Wait().finished.size(), 1U);
  EXPECT_EQ(engine.GetStats().requests_finished, 1U) << "the other one waits for its reader";
  clock_.Advance(100'000'000);
  engine.Wake();
  const Answer answer = stuck->Wait();
  EXPECT_EQ(answer.reason(), FinishReason::kError);
  EXPECT_EQ(answer.status().code(), StatusCode::kResourceExhausted);
}

TEST_F(EngineTest, DrainLetsRequestsFinishAndTakesNoMore) {
  Engine& engine = Open();
  auto running = Submit(engine, Greedy("abc", 30));
  EXPECT_TRUE(engine.Drain(600'000));
  EXPECT_EQ(running->Wait().finished.size(), 1U);
  EXPECT_NE(running->Wait().reason(), FinishReason::kCancelled);
  Status status;
  EXPECT_EQ(Submit(engine, Greedy("abc", 1), &status), nullptr);
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
}

TEST_F(EngineTest, DrainCancelsWhatDoesNotFinishInTime) {
  Engine& engine = Open();
  auto stuck = SubmitStuck();
  EXPECT_FALSE(engine.Drain(1));
  EXPECT_EQ(stuck->Wait().reason(), FinishReason::kCancelled);
}

TEST_F(EngineTest, TheDestructorEndsEverySink) {
  Open();
  std::vector<std::shared_ptr<Listener>> listeners;
  for (int i = 0; i < 5; ++i) listeners.push_back(SubmitStuck());
  engine_.reset();
  for (const auto& listener : listeners) {
    EXPECT_EQ(listener->Wait().reason(), FinishReason::kCancelled);
    EXPECT_EQ(listener.use_count(), 1);
  }
}

TEST_F(EngineTest, TokenizesAndBack) {
  Engine& engine = Open();
  const std::string text = "the \xe2\x82\xac<|im_end|>";
  const auto tokens = Tokens(engine, text);
  ASSERT_TRUE(tokens);
  EXPECT_EQ(tokens->back().token, TokenId{kTinyImEnd});
  std::vector<TokenId> ids;
  std::string bytes;
  for (const TokenPiece& piece : *tokens) {
    ids.push_back(piece.token);
    bytes += piece.bytes;
    EXPECT_EQ(text.substr(piece.byte_begin, piece.byte_end - piece.byte_begin), piece.bytes);
  }
  EXPECT_EQ(bytes, text);
  EXPECT_EQ(*engine.Detokenize(ids, {}), text);
  EXPECT_EQ(*engine.Detokenize(ids, {.render_special = false}), "the \xe2\x82\xac");
  EXPECT_EQ(*engine.Detokenize(std::vector<TokenId>{TokenId{0xE2}}, {}), "\xef\xbf\xbd");
  EXPECT_EQ(engine.Tokenize("\xff", {}).error().code(), StatusCode::kInvalidArgument);
  const auto out = engine.Detokenize(std::vector<TokenId>{TokenId{263}}, {});
  EXPECT_EQ(out.error().code(), StatusCode::kInvalidArgument);
  EXPECT_NE(out.error().message().find("tokens[0]: found 263"), std::string::npos);
}

TEST_F(EngineTest, TheModelsTemplateMakesThePrompt) {
  Engine& engine = Open();
  const std::vector<ChatMessage> messages = {{"system", "Be brief."}, {"user", "Hi"}};
  const auto prompt = engine.ApplyTemplate(messages, {});
  ASSERT_TRUE(prompt) << prompt.error().message();
  EXPECT_NE(prompt->find("<|im_start|>user\nHi<|im_end|>"), std::string::npos) << *prompt;
  const auto refused = [&](std::span<const ChatMessage> given, const ChatTemplateOptions& options) {
    const auto result = engine.ApplyTemplate(given, options);
    EXPECT_EQ(result.error().code(), StatusCode::kInvalidArgument);
    return result.error().message();
  };
  EXPECT_NE(refused({}, {}).find("messages: found 0"), std::string::npos);
  const std::vector<ChatMessage> broken = {{"user", "a\xff"}};
  EXPECT_NE(refused(broken, {}).find("messages[0].content"), std::string::npos);
  EXPECT_NE(refused(messages, {.variables = {{"x", "{"}}}).find("template_variables.x"),
            std::string::npos);
  EXPECT_NE(refused(messages, {.variables = {{"messages", "[]"}}}).find("other names"),
            std::string::npos);
  EXPECT_TRUE(engine.ApplyTemplate(messages, {.variables = {{"enable_thinking", "false"}}}));
}

TEST_F(EngineTest, AModelWithoutATemplateServesEverythingElse) {
  ASSERT_TRUE(WriteTinyModel(options_.model_path, {.chat_template = false}).ok());
  Engine& engine = Open();
  const std::vector<ChatMessage> messages = {{"user", "Hi"}};
  EXPECT_EQ(engine.ApplyTemplate(messages, {}).error().code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(Submit(engine, Greedy("abc", 3))->Wait().finished.size(), 1U);
}

TEST_F(EngineTest, RefusesABudgetBelowTheFloorAndNamesTheLeast) {
  const std::uint64_t floor = PlanMemory(options_)->budget_floor_bytes;
  options_.memory_budget_bytes = floor - 1;
  const Result<std::unique_ptr<Engine>> refused = Engine::Open(options_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), StatusCode::kResourceExhausted);
  EXPECT_NE(refused.error().message().find(std::to_string(floor)), std::string::npos);
  options_.memory_budget_bytes = floor;
  EXPECT_EQ(Submit(Open(), Greedy("abc", 3))->Wait().finished.size(), 1U);
  EXPECT_EQ(engine_->GetStats().memory.budget_bytes, floor);
}

TEST_F(EngineTest, CheckGivesWhatOpenWouldAndTheOptionsInForce) {
  options_.threads = 0;
  options_.memory_budget_bytes = 0;
  options_.context_tokens = 1u << 20;
  const auto in_force = Engine::Check(options_);
  ASSERT_TRUE(in_force) << in_force.error().ToString();
  const EngineStats stats = Open().GetStats();
  EXPECT_EQ(in_force->memory_budget_bytes, stats.memory.budget_bytes);
  EXPECT_EQ(in_force->expert_budget_bytes, stats.memory.expert_bytes);
  EXPECT_EQ(in_force->threads, stats.threads);
  EXPECT_EQ(in_force->kernels, stats.kernels);
  EXPECT_EQ(in_force->io_backend, stats.io_backend);
  EXPECT_EQ(in_force->context_tokens, engine_->model().context_tokens);
  EXPECT_EQ(in_force->model_name, engine_->model().name);

  const auto refused = [this](const auto& change) {
    EngineOptions options = options_;
    change(options);
    const auto opened = Engine::Open(options);
    const auto checked = Engine::Check(options);
    ASSERT_FALSE(opened);
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error(), opened.error());
  };
  refused([](EngineOptions& options) { options.model_path += ".none"; });
  refused([](EngineOptions& options) { options.memory_budget_bytes = 1; });
  refused([](EngineOptions& options) { options.threads = 65; });
  refused([](EngineOptions& options) { options.io_faults = "eio:layer=77"; });
}

TEST_F(EngineTest, ProgressAndLogTellOfLoading) {
  std::atomic<int> lines = 0;
  options_.log = [&](LogLevel, std::string_view) { ++lines; };
  std::uint64_t last = 0;
  std::uint64_t total = 0;
  const auto opened = Engine::Open(options_, [&](std::uint64_t loaded, std::uint64_t of) {
    EXPECT_GE(loaded, last);
    last = loaded;
    total = of;
  });
  ASSERT_TRUE(opened);
  EXPECT_GT(total, 0U);
  EXPECT_EQ(last, total);
  EXPECT_GE(lines, 2);
}

}  // namespace
}  // namespace edgemoe
