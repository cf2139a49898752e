// SPDX-License-Identifier: Apache-2.0
//
// Requests to embed: each text's vector, and texts that share a step.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "engine/scheduler/session.h"
#include "tests/engine/scheduler/scheduler_fakes.h"

namespace edgemoe {
namespace {

using testing::Bench;
using testing::TableText;
using testing::Tokens;

TableText Pieces() { return TableText({"<", "a", "b", "", "", "ab", "c!", "d"}, /*end=*/4); }

StepLimits Limits() {
  return {.sessions_max = 2,
          .prefill_chunk_tokens = 4,
          .logit_rows_max = 3,
          .context_tokens = 32,
          .stall_timeout_ns = 1'000'000'000};
}

CheckedRequest EmbedPlan(std::vector<std::vector<TokenId>> texts, EmbeddingParameters parameters) {
  CheckedRequest plan;
  plan.kind = RequestKind::kEmbed;
  plan.embedding = parameters;
  plan.prompt = std::move(texts.front());
  plan.further_texts.assign(texts.begin() + 1, texts.end());
  return plan;
}

TEST(EmbedSession, GivesEachTextsMeanInOrder) {
  Bench bench(Limits(), Pieces());
  auto heard = bench.Submit(EmbedPlan({Tokens({1, 2, 3, 4, 5, 0}), Tokens({7}), Tokens({6, 2})},
                                      {.pooling = Pooling::kMean, .normalize = false}));
  bench.RunAll();
  ASSERT_EQ(heard->embeddings.size(), 3U);
  EXPECT_EQ(heard->embeddings[0].values, (std::vector<float>{2.5F, 2.5F}));
  EXPECT_EQ(heard->embeddings[0].tokens, 6U);
  EXPECT_EQ(heard->embeddings[1].values, (std::vector<float>{7, 0}));
  EXPECT_EQ(heard->embeddings[2].values, (std::vector<float>{4, 0.5F}));
  EXPECT_EQ(heard->embeddings[2].text_index, 2U);
  EXPECT_EQ(heard->reason(), FinishReason::kMaxTokens);
  EXPECT_EQ(heard->started[0].prompt_tokens, 9U);
  EXPECT_EQ(heard->finished[0].prompt_tokens, 9U);
  EXPECT_EQ(heard->finished[0].completion_tokens, 0U);
  EXPECT_EQ(heard->finished[0].io.experts_used, 36U);
  ASSERT_EQ(heard->progress.size(), 1U) << "of the text that takes two steps";
  EXPECT_EQ(heard->progress[0].processed_tokens, 4U);
  EXPECT_EQ(heard->progress[0].prompt_tokens, 9U);
  EXPECT_EQ(bench.loop.counters().prompt_tokens, 9U);
  ASSERT_EQ(bench.forward.steps.size(), 3U) << "the end of the first beside the second";
  EXPECT_EQ(bench.forward.steps[1].size(), 3U);
  EXPECT_EQ(bench.state.free_block_count(), bench.state.block_count());
}

TEST(EmbedSession, ShortTextsAreEmbeddedTogether) {
  Bench bench(Limits(), Pieces(), 8, 16 * kStateBlockTokens);
  const std::vector<std::vector<TokenId>> texts = {Tokens({5}),    Tokens({6}), Tokens({7, 5}),
                                                   Tokens({6, 0}), Tokens({7}), Tokens({1})};
  auto heard = bench.Submit(EmbedPlan(texts, {.pooling = Pooling::kFirst, .normalize = false}));
  bench.RunAll();
  ASSERT_EQ(bench.forward.steps.size(), 2U);
  const auto& step = bench.forward.steps[0];
  ASSERT_EQ(step.size(), 4U);
  EXPECT_NE(step[0].sequence, step[1].sequence);
  EXPECT_NE(step[1].sequence, step[2].sequence);
  EXPECT_EQ(step[2].sequence, step[3].sequence);
  EXPECT_EQ(step[3].position, 1U);
  EXPECT_FALSE(step[3].wants_hidden);
  ASSERT_EQ(heard->embeddings.size(), texts.size());
  for (std::uint32_t i = 0; i < texts.size(); ++i) {
    EXPECT_EQ(heard->embeddings[i].text_index, i);
    EXPECT_EQ(heard->embeddings[i].tokens, texts[i].size());
    EXPECT_EQ(heard->embeddings[i].values,
              (std::vector<float>{static_cast<float>(texts[i][0].value), 0}));
  }
  EXPECT_EQ(bench.loop.counters().prompt_tokens, 8U);
  EXPECT_EQ(bench.state.free_block_count(), bench.state.block_count());
}

TEST(EmbedSession, TextsAreEmbeddedOneByOneWhereMemoryIsShort) {
  Bench bench(Limits(), Pieces(), 8, kStateBlockTokens);
  auto heard = bench.Submit(EmbedPlan({Tokens({5}), Tokens({6}), Tokens({7})}, {}));
  bench.RunAll();
  EXPECT_EQ(heard->embeddings.size(), 3U);
  EXPECT_EQ(heard->reason(), FinishReason::kMaxTokens);
  EXPECT_EQ(bench.forward.steps.size(), 3U);
}

TEST(EmbedSession, ATextThatFailsEndsItsRequestAndGivesItsMemoryBack) {
  Bench bench(Limits(), Pieces());
  bench.forward.fail = [](const BatchRow& row) {
    return row.token == TokenId{6} ? DataLossError("read error") : OkStatus();
  };
  auto heard = bench.Submit(EmbedPlan({Tokens({5}), Tokens({6}), Tokens({7})}, {}));
  bench.RunAll();
  EXPECT_EQ(heard->reason(), FinishReason::kError);
  EXPECT_EQ(bench.state.free_block_count(), bench.state.block_count());
}

TEST(EmbedSession, AStepEndsSoManyTextsAtMost) {
  StepLimits limits = Limits();
  limits.prefill_chunk_tokens = 64;
  Bench bench(limits, Pieces(), 8, 16 * kStateBlockTokens);
  auto heard = bench.Submit(
      EmbedPlan(std::vector<std::vector<TokenId>>(kEmbedTextsOfStepMax + 1, Tokens({5})), {}));
  bench.RunAll();
  EXPECT_EQ(heard->embeddings.size(), kEmbedTextsOfStepMax + 1);
  EXPECT_EQ(bench.forward.steps.size(), 2U);
}

TEST(EmbedSession, OfTheLastTokenAsksForNoOther) {
  Bench bench(Limits(), Pieces());
  auto heard = bench.Submit(EmbedPlan({Tokens({1, 2, 3, 0, 4})}, {.pooling = Pooling::kLast}));
  bench.RunAll();
  ASSERT_EQ(heard->embeddings.size(), 1U);
  const std::vector<float>& values = heard->embeddings[0].values;
  EXPECT_FLOAT_EQ(values[0], std::sqrt(0.5F));
  EXPECT_FLOAT_EQ(values[1], std::sqrt(0.5F));
  for (const auto& step : bench.forward.steps) {
    for (const auto& row : step) {
      EXPECT_EQ(row.wants_hidden, row.position == 4);
      EXPECT_FALSE(row.wants_logits);
    }
  }
}

TEST(EmbedSession, RefusesWhatIsNoNumber) {
  EmbeddingPool pool({});
  const std::vector<float> hidden = {1, std::numeric_limits<float>::infinity()};
  pool.Add(hidden);
  EXPECT_EQ(pool.Take().error().code(), StatusCode::kInternal);
  const std::vector<float> zero = {0, 0};
  pool.Add(zero);
  EXPECT_EQ(pool.Take().value(), zero) << "has no direction";
}

}  // namespace
}  // namespace edgemoe
