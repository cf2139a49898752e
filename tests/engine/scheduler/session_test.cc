// SPDX-License-Identifier: Apache-2.0
//
// What one request says: text, stops, log-probabilities, scores, lengths.
#include "engine/scheduler/session.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/engine/scheduler/scheduler_fakes.h"

namespace edgemoe {
namespace {

using testing::Bench;
using testing::GreedyPlan;
using testing::TableText;
using testing::Tokens;

// Token 1 is the euro sign's first two bytes, 2 its last, 3 a control token, 4 the end.
TableText Pieces() {
  return TableText({"<", "\xe2\x82", "\xac", "", "", "ab", "c!", "\xff"}, /*end=*/4);
}

StepLimits Limits() {
  return {.sessions_max = 2,
          .prefill_chunk_tokens = 4,
          .logit_rows_max = 3,
          .context_tokens = 32,
          .stall_timeout_ns = 1'000'000'000};
}

// Plays `script` from the prompt's last token on.
void Play(Bench& bench, std::uint32_t prompt_tokens, std::vector<std::int32_t> script) {
  bench.forward.next = [=](std::int32_t, std::uint32_t position) {
    const std::size_t at = position + 1 - prompt_tokens;
    return at < script.size() ? script[at] : 0;
  };
}

TEST(Session, TextNeverHoldsHalfACharacter) {
  Bench bench(Limits(), Pieces());
  Play(bench, 1, {5, 1, 2, 3, 4});
  auto heard = bench.Submit(GreedyPlan(Tokens({0}), std::nullopt));
  bench.RunAll();
  ASSERT_EQ(heard->chunks.size(), 4U);
  EXPECT_EQ(heard->chunks[0].text, "ab");
  EXPECT_EQ(heard->chunks[1].text, "");
  EXPECT_EQ(heard->chunks[1].tokens, Tokens({1}));
  EXPECT_EQ(heard->chunks[2].text, "\xe2\x82\xac");
  EXPECT_EQ(heard->chunks[3].text, "");  // a control token
  EXPECT_EQ(heard->reason(), FinishReason::kStopToken);
  EXPECT_EQ(heard->finished[0].stop_token, TokenId{4});
  EXPECT_EQ(heard->finished[0].completion_tokens, 5U);
}

TEST(Session, WhatIsLeftOfACharacterAtTheEndIsReplaced) {
  Bench bench(Limits(), Pieces());
  Play(bench, 1, {7, 1});
  auto heard = bench.Submit(GreedyPlan(Tokens({0}), 2));
  bench.RunAll();
  EXPECT_EQ(heard->text(), "\xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(heard->finished.at(0).text, "\xef\xbf\xbd");
}

TEST(Session, WhatIsLeftOfACharacterMayBeAStopSequence) {
  Bench bench(Limits(), Pieces());
  Play(bench, 1, {5, 1});
  CheckedRequest plan = GreedyPlan(Tokens({0}), 2);
  plan.stop.sequences = {"b\xef\xbf\xbd"};
  auto heard = bench.Submit(plan);
  bench.RunAll();
  EXPECT_EQ(heard->text(), "a");
  EXPECT_EQ(heard->reason(), FinishReason::kStopSequence);
  EXPECT_EQ(heard->finished.at(0).stop_sequence, "b\xef\xbf\xbd");
}

TEST(Session, NothingFollowsAStopSequence) {
  Bench bench(Limits(), TableText({"<", "ab\xe2"}, /*end=*/0));
  Play(bench, 1, {1});
  CheckedRequest plan = GreedyPlan(Tokens({0}), 4);
  plan.stop.sequences = {"b"};
  auto heard = bench.Submit(plan);
  bench.RunAll();
  EXPECT_EQ(heard->text(), "a");
}

TEST(Session, AStopSequenceAcrossTokensIsCutOff) {
  Bench bench(Limits(), Pieces());
  Play(bench, 1, {5, 5, 6, 5});
  CheckedRequest plan = GreedyPlan(Tokens({0}), std::nullopt);
  plan.stop.sequences = {"zzz", "bc"};
  auto heard = bench.Submit(plan);
  bench.RunAll();
  ASSERT_EQ(heard->chunks.size(), 3U);
  EXPECT_EQ(heard->chunks[0].text, "a");  // "b" may become "bc"
  EXPECT_EQ(heard->chunks[1].text, "ba");
  EXPECT_EQ(heard->text(), "aba");
  EXPECT_EQ(heard->tokens(), (std::vector<std::int32_t>{5, 5, 6}));
  EXPECT_EQ(heard->reason(), FinishReason::kStopSequence);
  EXPECT_EQ(heard->finished[0].stop_sequence, "bc");
}

TEST(Session, HeldBackTextComesWithTheEnd) {
  Bench bench(Limits(), Pieces());
  Play(bench, 1, {5});
  CheckedRequest plan = GreedyPlan(Tokens({0}), 1);
  plan.stop.sequences = {"bc"};
  auto heard = bench.Submit(plan);
  bench.RunAll();
  EXPECT_EQ(heard->finished.at(0).text, "b");
  EXPECT_EQ(heard->text(), "ab");
}

TEST(Session, StopTokensOfTheRequestStopEvenWhenTheModelsOwnAreIgnored) {
  Bench bench(Limits(), Pieces());
  Play(bench, 1, {5, 4, 6, 5});
  CheckedRequest plan = GreedyPlan(Tokens({0}), std::nullopt);
  plan.stop.ignore_end_of_generation = true;
  plan.stop.tokens = Tokens({6});
  auto heard = bench.Submit(plan);
  bench.RunAll();
  EXPECT_EQ(heard->tokens(), (std::vector<std::int32_t>{5, 4}));
  EXPECT_EQ(heard->finished.at(0).stop_token, TokenId{6});
}

TEST(Session, MaxTokensZeroRunsThePromptOnly) {
  Bench bench(Limits(), Pieces());
  auto heard = bench.Submit(GreedyPlan(Tokens({0, 5, 5, 5, 5}), 0));
  bench.RunAll();
  EXPECT_EQ(heard->reason(), FinishReason::kMaxTokens);
  EXPECT_TRUE(heard->chunks.empty());
  EXPECT_EQ(bench.loop.counters().prompt_tokens.load(), 5U);
  for (const auto& step : bench.forward.steps)
    for (const auto& row : step) EXPECT_FALSE(row.wants_logits);
}

TEST(Session, TheContextBoundsPromptAndAnswer) {
  Bench bench(Limits(), Pieces());
  auto full = bench.Submit(GreedyPlan(std::vector<TokenId>(32), 5));
  auto nearly = bench.Submit(GreedyPlan(std::vector<TokenId>(30), std::nullopt));
  Play(bench, 30, {5, 6, 5, 6});
  bench.RunAll();
  EXPECT_EQ(full->reason(), FinishReason::kContextFull);
  EXPECT_TRUE(full->chunks.empty());
  EXPECT_EQ(nearly->reason(), FinishReason::kContextFull);
  EXPECT_EQ(nearly->tokens(), (std::vector<std::int32_t>{5, 6}));
}

TEST(Session, LogprobsComeWithEachTokenWhenAskedFor) {
  Bench bench(Limits(), Pieces());
  Play(bench, 1, {5, 6});
  CheckedRequest plan = GreedyPlan(Tokens({0}), 2);
  plan.top_logprob_count = 2;
  auto heard = bench.Submit(plan);
  bench.RunAll();
  ASSERT_EQ(heard->chunks.size(), 2U);
  for (const ChunkEvent& chunk : heard->chunks) {
    ASSERT_EQ(chunk.logprobs.size(), 1U);
    EXPECT_EQ(chunk.logprobs[0].token, chunk.tokens[0]);
    EXPECT_LT(chunk.logprobs[0].logprob, 0.0F);
    ASSERT_EQ(chunk.logprobs[0].top.size(), 2U);
    EXPECT_EQ(chunk.logprobs[0].top[0].token, chunk.tokens[0]);
  }
}

// ---- Answers that are split ----

// Tokens 0 to 9; 4 ends, 8 is a control token that is a mark, 9 one that is none.
TableText Marks() {
  TableText text({"<think>", "a", " </th", "ink>", "", "b", "<tool_call>{\"name\": \"f\"}",
                  "</tool_call>", "", ""},
                 /*end=*/4);
  text.NameControl(8, "</think>");
  text.NameControl(9, "<|pad|>");
  return text;
}

CheckedRequest SplitPlan(std::optional<std::uint32_t> reasoning_tokens_max) {
  CheckedRequest plan = GreedyPlan(Tokens({1}), std::nullopt);
  plan.split = AnswerSplit{.format = FindAnswerFormat("<think></think><tool_call>"),
                           .tools = {},
                           .prompt_end = "",
                           .reasoning_tokens_max = reasoning_tokens_max,
                           .reasoning_end = Tokens({2, 3})};
  return plan;
}

std::vector<std::string> PartsOf(const testing::Heard& heard) {
  std::vector<std::string> parts;
  const auto add = [&parts](const std::vector<AnswerEvent>& events) {
    for (const AnswerEvent& event : events)
      parts.push_back(std::to_string(static_cast<int>(event.kind)) + event.text + event.call_name);
  };
  for (const ChunkEvent& chunk : heard.chunks) add(chunk.parts);
  for (const FinishedEvent& event : heard.finished) add(event.parts);
  return parts;
}

using Strings = std::vector<std::string>;

TEST(Session, SplitsAnAnswer) {
  Bench bench(Limits(), Marks());
  Play(bench, 1, {0, 1, 1, 2, 3, 5, 9, 5, 4});
  auto heard = bench.Submit(SplitPlan(std::nullopt));
  bench.RunAll();
  EXPECT_EQ(PartsOf(*heard), (Strings{"0a", "0a", "1b", "1b"}));
  EXPECT_EQ(heard->text(), "");
  EXPECT_EQ(heard->finished.at(0).reasoning_tokens, 4U);
  EXPECT_EQ(heard->reason(), FinishReason::kStopToken);
  EXPECT_EQ(heard->tokens().size(), 8U);
}

TEST(Session, ControlTokensThatAreMarksReachTheParser) {
  Bench bench(Limits(), Marks());
  Play(bench, 1, {0, 1, 8, 5, 4});
  auto heard = bench.Submit(SplitPlan(std::nullopt));
  bench.RunAll();
  EXPECT_EQ(PartsOf(*heard), (Strings{"0a", "1b"}));
}

TEST(Session, EndsWithToolCalls) {
  Bench bench(Limits(), Marks());
  Play(bench, 1, {6, 7, 4});
  auto heard = bench.Submit(SplitPlan(std::nullopt));
  auto cut = bench.Submit(SplitPlan(std::nullopt));
  bench.RunAll();
  EXPECT_EQ(PartsOf(*heard), (Strings{"2f", "3{}", "4"}));
  EXPECT_EQ(heard->reason(), FinishReason::kToolCalls);
  EXPECT_EQ(heard->finished.at(0).stop_token, TokenId{4});
  EXPECT_EQ(PartsOf(*cut), PartsOf(*heard));
}

TEST(Session, ClosesEndlessReasoning) {
  Bench bench(Limits(), Marks());
  Play(bench, 1, {0, 1, 1, 1, 1, 5, 4});
  auto heard = bench.Submit(SplitPlan(2));
  bench.RunAll();
  // The model wanted a third "a" and a fourth; it wrote the end of its reasoning.
  EXPECT_EQ(heard->tokens(), (std::vector<std::int32_t>{0, 1, 1, 2, 3, 5}));
  EXPECT_EQ(PartsOf(*heard), (Strings{"0a", "0a", "1b"}));
  EXPECT_EQ(heard->finished.at(0).reasoning_tokens, 4U);
}

TEST(Session, NoReasoningAtAllClosesWhatThePromptOpened) {
  Bench bench(Limits(), Marks());
  Play(bench, 1, {1, 1, 5, 4});
  CheckedRequest plan = SplitPlan(0);
  plan.split->prompt_end = "<think>\n";
  plan.top_logprob_count = 1;
  auto heard = bench.Submit(plan);
  bench.RunAll();
  EXPECT_EQ(heard->tokens(), (std::vector<std::int32_t>{2, 3, 5}));
  EXPECT_EQ(PartsOf(*heard), (Strings{"1b"}));
  // What was written for the model has its own probability.
  EXPECT_LT(heard->chunks.at(0).logprobs.at(0).logprob, -5.0F);
  EXPECT_EQ(heard->chunks.at(0).logprobs.at(0).top.at(0).token, TokenId{1});
}

TEST(Session, ScoreGivesEveryTokenButTheFirst) {
  Bench bench(Limits(), Pieces());
  CheckedRequest plan;
  plan.kind = RequestKind::kScore;
  plan.prompt = Tokens({0, 1, 2, 5, 6, 7, 0, 1});
  plan.top_logprob_count = 1;
  auto heard = bench.Submit(plan);
  bench.RunAll();
  EXPECT_EQ(heard->tokens(), (std::vector<std::int32_t>{1, 2, 5, 6, 7, 0, 1}));
  std::size_t logprobs = 0;
  for (const ChunkEvent& chunk : heard->chunks) {
    EXPECT_EQ(chunk.logprobs.size(), chunk.tokens.size());
    EXPECT_EQ(chunk.logprobs[0].top.size(), 1U);
    logprobs += chunk.logprobs.size();
  }
  EXPECT_EQ(logprobs, 7U);
  EXPECT_EQ(heard->reason(), FinishReason::kMaxTokens);
  // After token t the fake expects t + 1: 0 -> 1 is likely, 2 -> 5 is not.
  EXPECT_GT(heard->chunks[0].logprobs[0].logprob, -0.01F);
  EXPECT_LT(heard->chunks[0].logprobs[2].logprob, -5.0F);
  for (const auto& step : bench.forward.steps) EXPECT_LE(step.size(), 3U);  // logit_rows_max
}

TEST(Session, AScoreBesideDecodersKeepsToTheLogitRows) {
  Bench bench(Limits(), Pieces());
  bench.Submit(GreedyPlan(Tokens({0}), 20));
  ASSERT_TRUE(bench.loop.Step());
  CheckedRequest plan;
  plan.kind = RequestKind::kScore;
  plan.prompt = std::vector<TokenId>(9);
  auto heard = bench.Submit(plan);
  bench.RunAll();
  EXPECT_EQ(heard->tokens().size(), 8U);
  for (const auto& step : bench.forward.steps) {
    std::size_t logit_rows = 0;
    for (const auto& row : step) logit_rows += row.wants_logits ? 1 : 0;
    EXPECT_LE(logit_rows, 3U);
  }
}

}  // namespace
}  // namespace edgemoe
