// SPDX-License-Identifier: Apache-2.0
//
// Who runs when: joining, leaving, turns, pauses, ends.
#include "engine/scheduler/step_loop.h"

#include <gtest/gtest.h>

#include <thread>

#include "tests/engine/scheduler/scheduler_fakes.h"

namespace edgemoe {
namespace {

using testing::Bench;
using testing::GreedyPlan;
using testing::Heard;
using testing::SeenRow;
using testing::TableText;
using testing::Tokens;

std::vector<TokenId> LongPrompt(std::size_t count) { return std::vector<TokenId>(count); }

TEST(StepLoop, RunsAPromptInChunksAndThenOneTokenAStep) {
  Bench bench;
  auto heard = bench.Submit(GreedyPlan(LongPrompt(6), 3));
  EXPECT_EQ(bench.RunAll(), 4U);
  ASSERT_EQ(bench.forward.steps.size(), 4U);
  EXPECT_EQ(bench.forward.steps[0].size(), 4U);
  EXPECT_EQ(bench.forward.steps[1].size(), 2U);
  EXPECT_EQ(bench.forward.steps[2].size(), 1U);
  for (std::uint32_t i = 0; i < 4; ++i) EXPECT_EQ(bench.forward.steps[0][i].position, i);
  EXPECT_FALSE(bench.forward.steps[1][0].wants_logits);
  EXPECT_TRUE(bench.forward.steps[1][1].wants_logits);
  EXPECT_EQ(bench.forward.steps[2][0].position, 6U);

  EXPECT_EQ(heard->tokens(), (std::vector<std::int32_t>{1, 2, 3}));
  EXPECT_EQ(heard->text(), "123");
  ASSERT_EQ(heard->started.size(), 1U);
  EXPECT_EQ(heard->started[0].prompt_tokens, 6U);
  EXPECT_EQ(heard->started[0].queue_position, 0U);
  ASSERT_EQ(heard->progress.size(), 1U);
  EXPECT_EQ(heard->progress[0].processed_tokens, 4U);
  ASSERT_EQ(heard->finished.size(), 1U);
  const FinishedEvent& finished = heard->finished[0];
  EXPECT_EQ(finished.reason, FinishReason::kMaxTokens);
  EXPECT_TRUE(finished.status.ok());
  EXPECT_EQ(finished.prompt_tokens, 6U);
  EXPECT_EQ(finished.completion_tokens, 3U);
  EXPECT_EQ(finished.io.experts_used, 8U * 4);  // 6 prompt rows and 2 decode rows
  EXPECT_EQ(finished.io.expert_hits, 8U * 3);
  EXPECT_EQ(finished.io.bytes_read, 800U);
  EXPECT_EQ(finished.io.wait_ns, 56U);
  EXPECT_TRUE(heard->destroyed);
  EXPECT_EQ(bench.state.free_block_count(), bench.state.block_count());
}

TEST(StepLoop, DecodingSessionsAndOneChunkShareAStep) {
  Bench bench;
  auto decoding = bench.Submit(GreedyPlan(Tokens({5}), 20));
  ASSERT_TRUE(bench.loop.Step());
  auto prompting = bench.Submit(GreedyPlan(LongPrompt(7), 1));
  ASSERT_TRUE(bench.loop.Step());
  const std::vector<SeenRow>& step = bench.forward.steps.back();
  ASSERT_EQ(step.size(), 5U);
  EXPECT_EQ(step[0].token, 6);
  EXPECT_NE(step[0].sequence, step[1].sequence);
  EXPECT_EQ(step[1].position, 0U);
  EXPECT_EQ(decoding->tokens().size(), 2U);
  bench.RunAll();
  EXPECT_EQ(prompting->tokens(), (std::vector<std::int32_t>{1}));
  EXPECT_EQ(decoding->tokens().size(), 20U);
}

TEST(StepLoop, PromptsTakeTurns) {
  Bench bench;
  auto first = bench.Submit(GreedyPlan(LongPrompt(12), 1));
  auto second = bench.Submit(GreedyPlan(LongPrompt(12), 1));
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(bench.loop.Step());
  EXPECT_EQ(first->progress.size(), 2U);
  EXPECT_EQ(second->progress.size(), 2U);
  bench.RunAll();
  EXPECT_TRUE(first->done() && second->done());
}

// Room for 4 blocks of 32 tokens, for contexts of up to 4 blocks.
constexpr StepLimits kScarce = {.sessions_max = 3,
                                .prefill_chunk_tokens = 16,
                                .logit_rows_max = 4,
                                .context_tokens = 128,
                                .stall_timeout_ns = 1'000'000'000};

TEST(StepLoop, WhoCameLastGivesWayAndIsRunAgain) {
  const auto run = [](std::uint64_t state_tokens, std::uint64_t* preempted) {
    Bench bench(kScarce, TableText(Bench::Letters()), 8, state_tokens);
    std::vector<std::shared_ptr<Heard>> heard;
    for (const std::int32_t first : {1, 2, 3})
      heard.push_back(bench.Submit(GreedyPlan(Tokens({first, 5, 9}), 90)));
    bench.RunAll();
    *preempted = bench.loop.counters().requests_preempted;
    EXPECT_EQ(bench.state.free_block_count(), bench.state.block_count());
    EXPECT_EQ(bench.loop.counters().prompt_tokens, 9U) << "rows that are run again count once";
    EXPECT_EQ(bench.loop.counters().completion_tokens, 270U);
    return heard;
  };
  std::uint64_t preempted = 0;
  const auto roomy = run(3 * 128, &preempted);
  EXPECT_EQ(preempted, 0U);
  const auto scarce = run(128, &preempted);
  EXPECT_GE(preempted, 1U);
  for (std::size_t i = 0; i < roomy.size(); ++i) {
    ASSERT_TRUE(scarce[i]->done()) << i;
    EXPECT_EQ(scarce[i]->tokens(), roomy[i]->tokens()) << i;
    EXPECT_EQ(scarce[i]->text(), roomy[i]->text()) << i;
    EXPECT_EQ(scarce[i]->started.size(), 1U);
    EXPECT_EQ(scarce[i]->reason(), FinishReason::kMaxTokens);
  }
}

TEST(StepLoop, WhoIsPreemptedRunsTheSameRowsAgain) {
  Bench bench(kScarce, TableText(Bench::Letters()), 8, 128);
  const auto first = bench.Submit(GreedyPlan(Tokens({1}), 90));
  const auto second = bench.Submit(GreedyPlan(Tokens({2, 7}), 90));
  bench.RunAll();
  ASSERT_TRUE(first->done() && second->done());
  EXPECT_GE(bench.loop.counters().requests_preempted, 1U);
  std::uint32_t repeated = 0;
  for (const auto& step : bench.forward.steps)
    for (const SeenRow& row : step) repeated += row.wants_logits ? 0 : 1;
  EXPECT_GE(repeated, 33U)
      << "the second prompt's first, and rows that are run again want no logits";
  EXPECT_EQ(second->tokens().size(), 90U);
  for (std::size_t i = 0; i < 90; ++i)
    EXPECT_EQ(second->tokens()[i], static_cast<std::int32_t>((8 + i) % Bench::kVocabulary));
}

TEST(StepLoop, AScoreThatIsPreemptedGivesEachTokenOnce) {
  Bench bench(kScarce, TableText(Bench::Letters()), 8, 128);
  const auto first = bench.Submit(GreedyPlan(Tokens({1}), 100));
  CheckedRequest plan;
  plan.kind = RequestKind::kScore;
  for (std::int32_t i = 0; i < 60; ++i) plan.prompt.push_back(TokenId{i});
  const auto second = bench.Submit(std::move(plan));
  bench.RunAll();
  ASSERT_TRUE(first->done() && second->done());
  EXPECT_EQ(second->tokens().size(), 59U);
  EXPECT_EQ(second->reason(), FinishReason::kMaxTokens);
}

TEST(StepLoop, TextsThatArePreemptedGiveTheSameVectors) {
  const auto plan = [] {
    CheckedRequest texts;
    texts.kind = RequestKind::kEmbed;
    texts.embedding.normalize = false;
    for (std::int32_t i = 0; i < 60; ++i) texts.prompt.push_back(TokenId{i});
    texts.further_texts.assign(40, texts.prompt);
    texts.further_texts[0] = Tokens({5});
    return texts;
  };
  Bench alone(kScarce, TableText(Bench::Letters()), 8, 160);
  const auto expected = alone.Submit(plan());
  alone.RunAll();
  EXPECT_EQ(alone.loop.counters().requests_preempted, 0U);
  Bench bench(kScarce, TableText(Bench::Letters()), 8, 160);
  const auto first = bench.Submit(GreedyPlan(Tokens({1}), 100));
  const auto second = bench.Submit(plan());
  bench.RunAll();
  EXPECT_GT(bench.loop.counters().requests_preempted, 0U);
  ASSERT_TRUE(first->done() && second->done());
  ASSERT_EQ(second->embeddings.size(), 41U);
  for (std::size_t i = 0; i < 41; ++i)
    EXPECT_EQ(second->embeddings[i].values, expected->embeddings.at(i).values);
}

TEST(StepLoop, TextsToEmbedTakeTurnsWithPrompts) {
  Bench bench;
  CheckedRequest texts;
  texts.kind = RequestKind::kEmbed;
  texts.prompt = Tokens({1, 2, 3, 4, 5, 6, 7, 8});
  texts.further_texts.assign(50, texts.prompt);
  RequestId id;
  const auto many = bench.Submit(std::move(texts), &id);
  const auto prompt = bench.Submit(GreedyPlan(Tokens({1, 2, 3, 4, 5, 6, 7, 8}), 1));
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(bench.loop.Step());
  EXPECT_TRUE(prompt->done()) << "its two chunks ran beside two of the texts'";
  EXPECT_EQ(many->embeddings.size(), 1U);
  ASSERT_TRUE(bench.queue.Cancel(id).ok());
  bench.RunAll();
  EXPECT_EQ(many->reason(), FinishReason::kCancelled);
  EXPECT_LE(many->embeddings.size(), 2U);
  EXPECT_EQ(bench.state.free_block_count(), bench.state.block_count());
}

TEST(StepLoop, AnAnswerIsCancelledWhileItIsPreempted) {
  Bench bench(kScarce, TableText(Bench::Letters()), 8, 128);
  bench.Submit(GreedyPlan(Tokens({1}), 100));
  RequestId id;
  const auto second = bench.Submit(GreedyPlan(Tokens({2}), 100), &id);
  while (bench.loop.counters().requests_preempted == 0) ASSERT_TRUE(bench.loop.Step());
  ASSERT_TRUE(bench.queue.Cancel(id).ok());
  bench.loop.Step();
  ASSERT_TRUE(second->done());
  EXPECT_EQ(second->reason(), FinishReason::kCancelled);
  bench.RunAll();
}

TEST(StepLoop, WaitingRequestsHearTheirPositionAndJoinInOrder) {
  Bench bench;
  std::vector<std::shared_ptr<Heard>> heard;
  for (int i = 0; i < 5; ++i) heard.push_back(bench.Submit(GreedyPlan(Tokens({1}), 2)));
  ASSERT_TRUE(bench.loop.Step());
  const std::vector<std::uint32_t> positions = {0, 0, 1, 2, 3};
  for (std::size_t i = 0; i < 5; ++i) {
    ASSERT_EQ(heard[i]->started.size(), 1U);
    EXPECT_EQ(heard[i]->started[0].queue_position, positions[i]);
    EXPECT_TRUE(heard[i]->progress.empty());
  }
  EXPECT_EQ(bench.loop.counters().sessions_running.load(), 2U);
  bool earlier_done = true;
  for (int step = 0; step < 20; ++step) {
    bench.loop.Step();
    for (std::size_t i = 1; i < 5; ++i) {
      earlier_done = heard[i - 1]->done();
      if (heard[i]->done()) {
        EXPECT_TRUE(earlier_done) << i;
      }
    }
  }
  EXPECT_TRUE(heard[4]->done());
  // Who had to wait hears when the wait is over.
  for (std::size_t i = 0; i < 5; ++i) {
    ASSERT_EQ(heard[i]->progress.size(), positions[i] > 0 ? 1U : 0U) << i;
    for (const PromptProgressEvent& event : heard[i]->progress)
      EXPECT_EQ(event.processed_tokens, 0U);
  }
}

TEST(StepLoop, TokensDoNotDependOnCompany) {
  const auto run = [](std::uint32_t company) {
    Bench bench({.sessions_max = 4,
                 .prefill_chunk_tokens = 3,
                 .logit_rows_max = 4,
                 .context_tokens = 64,
                 .stall_timeout_ns = 1'000'000'000});
    for (std::uint32_t i = 0; i < company; ++i) bench.Submit(GreedyPlan(LongPrompt(9 + i), 7));
    auto heard = bench.Submit(GreedyPlan(Tokens({3, 9, 4, 11}), 12));
    bench.RunAll();
    return heard->tokens();
  };
  EXPECT_EQ(run(0), run(3));
  EXPECT_EQ(run(0).size(), 12U);
}

TEST(StepLoop, AFailedRowEndsThatRequestOnly) {
  Bench bench;
  bench.forward.fail = [](const BatchRow& row) {
    return row.token.value == 8 ? DataLossError("expert 3 of layer 1 cannot be read") : OkStatus();
  };
  auto failing = bench.Submit(GreedyPlan(Tokens({6}), 10));
  auto other = bench.Submit(GreedyPlan(Tokens({20}), 10));
  bench.RunAll();
  EXPECT_EQ(failing->reason(), FinishReason::kError);
  EXPECT_EQ(failing->finished[0].status.code(), StatusCode::kDataLoss);
  EXPECT_EQ(failing->tokens(), (std::vector<std::int32_t>{7, 8}));
  EXPECT_EQ(other->reason(), FinishReason::kMaxTokens);
  EXPECT_EQ(other->tokens().size(), 10U);
  EXPECT_EQ(bench.loop.counters().requests_failed.load(), 1U);
  EXPECT_EQ(bench.loop.counters().requests_finished.load(), 2U);
}

TEST(StepLoop, LogitsThatAreNoNumbersEndTheRequestWithInternal) {
  Bench bench;
  bench.forward.nan_logits = true;
  auto heard = bench.Submit(GreedyPlan(Tokens({6}), 10));
  bench.RunAll();
  EXPECT_EQ(heard->reason(), FinishReason::kError);
  EXPECT_EQ(heard->finished[0].status.code(), StatusCode::kInternal);
  bench.forward.nan_logits = false;
  auto next = bench.Submit(GreedyPlan(Tokens({6}), 2));
  bench.RunAll();
  EXPECT_EQ(next->reason(), FinishReason::kMaxTokens);
}

TEST(StepLoop, CancelEndsRunningAndWaitingRequests) {
  Bench bench;
  RequestId running_id;
  RequestId waiting_id;
  auto running = bench.Submit(GreedyPlan(Tokens({1}), 50), &running_id);
  bench.Submit(GreedyPlan(Tokens({1}), 50));
  auto waiting = bench.Submit(GreedyPlan(Tokens({1}), 50), &waiting_id);
  ASSERT_TRUE(bench.loop.Step());
  ASSERT_TRUE(bench.queue.Cancel(waiting_id).ok());
  ASSERT_TRUE(bench.loop.Step());
  ASSERT_TRUE(waiting->done());
  EXPECT_EQ(waiting->reason(), FinishReason::kCancelled);
  EXPECT_EQ(waiting->finished[0].status.code(), StatusCode::kCancelled);

  // In the middle of a step: the row is dropped by the forward pass.
  bench.forward.during_row = [&](const BatchRow&) { (void)bench.queue.Cancel(running_id); };
  ASSERT_TRUE(bench.loop.Step());
  ASSERT_TRUE(running->done());
  EXPECT_EQ(running->reason(), FinishReason::kCancelled);
  EXPECT_EQ(bench.loop.counters().requests_failed.load(), 0U);
}

TEST(StepLoop, TimeLimitEndsRunningAndWaitingRequests) {
  Bench bench;
  CheckedRequest limited = GreedyPlan(Tokens({1}), 60);
  limited.stop.time_limit_ms = 100;
  auto running = bench.Submit(limited);
  auto other = bench.Submit(GreedyPlan(Tokens({1}), 60));
  auto waiting = bench.Submit(limited);
  ASSERT_TRUE(bench.loop.Step());
  EXPECT_EQ(bench.loop.NextDeadlineNs(), bench.clock.NowNs() + 100'000'000);
  bench.clock.AdvanceMs(99);
  ASSERT_TRUE(bench.loop.Step());
  EXPECT_FALSE(running->done());
  bench.clock.AdvanceMs(1);
  ASSERT_TRUE(bench.loop.Step());
  ASSERT_TRUE(running->done() && waiting->done());
  EXPECT_EQ(running->reason(), FinishReason::kTimeLimit);
  EXPECT_TRUE(running->finished[0].status.ok());
  EXPECT_EQ(waiting->reason(), FinishReason::kTimeLimit);
  EXPECT_EQ(waiting->finished[0].timings.queue_ns, 100'000'000U);
  EXPECT_FALSE(other->done());
}

TEST(StepLoop, ASlowReaderPausesAloneAndEndsAfterTheStallTimeout) {
  Bench bench;
  auto slow = bench.Submit(GreedyPlan(Tokens({1}), 50));
  auto fast = bench.Submit(GreedyPlan(Tokens({1}), 50));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(bench.loop.Step());
  slow->can_take = false;
  const std::size_t had = slow->chunks.size();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(bench.loop.Step());
  EXPECT_EQ(slow->chunks.size(), had);
  EXPECT_GT(fast->chunks.size(), had + 3);

  slow->can_take = true;  // in time: the timeout starts anew
  bench.clock.AdvanceMs(999);
  ASSERT_TRUE(bench.loop.Step());
  EXPECT_GT(slow->chunks.size(), had);
  slow->can_take = false;
  ASSERT_TRUE(bench.loop.Step());
  bench.clock.AdvanceMs(999);
  ASSERT_TRUE(bench.loop.Step());
  EXPECT_FALSE(slow->done());
  bench.clock.AdvanceMs(1);
  ASSERT_TRUE(bench.loop.Step());
  ASSERT_TRUE(slow->done());
  EXPECT_EQ(slow->reason(), FinishReason::kError);
  EXPECT_EQ(slow->finished[0].status.code(), StatusCode::kResourceExhausted);
  EXPECT_NE(slow->finished[0].status.message().find("1000 ms"), std::string::npos);
  EXPECT_FALSE(fast->done());
}

TEST(StepLoop, WhenAllArePausedThereIsNothingToRun) {
  Bench bench;
  auto heard = bench.Submit(GreedyPlan(Tokens({1}), 50));
  heard->can_take = false;
  EXPECT_FALSE(bench.loop.Step());
  EXPECT_EQ(heard->started.size(), 1U);
  ASSERT_TRUE(bench.loop.Step() == false && bench.loop.NextDeadlineNs().has_value());
  heard->can_take = true;
  EXPECT_TRUE(bench.loop.Step());
}

TEST(StepLoop, TimingsSplitQueuePromptAndDecode) {
  Bench bench({.sessions_max = 1,
               .prefill_chunk_tokens = 4,
               .logit_rows_max = 1,
               .context_tokens = 64,
               .stall_timeout_ns = 1'000'000'000});
  bench.forward.during_row = [&](const BatchRow&) { bench.clock.AdvanceMs(1); };
  bench.Submit(GreedyPlan(Tokens({1}), 3));
  auto heard = bench.Submit(GreedyPlan(LongPrompt(5), 4));
  bench.RunAll();
  const RequestTimings& timings = heard->finished.at(0).timings;
  EXPECT_EQ(timings.queue_ns, 3'000'000U);
  EXPECT_EQ(timings.prompt_ns, 5'000'000U);
  EXPECT_EQ(timings.decode_ns, 3'000'000U);
  EXPECT_EQ(bench.loop.counters().run_ns.load(), 11'000'000U);
  EXPECT_EQ(bench.loop.counters().prompt_tokens.load(), 6U);
  EXPECT_EQ(bench.loop.counters().completion_tokens.load(), 7U);
}

TEST(StepLoop, RunOnAThreadServesClientsAndEndsAllOnStop) {
  auto unbounded = std::make_shared<Heard>();
  {
    Bench bench;
    bench.forward.next = [](std::int32_t, std::uint32_t) { return 1; };
    std::thread engine([&] { bench.loop.Run(); });
    CheckedRequest endless = GreedyPlan(Tokens({1}), std::nullopt);
    endless.prompt = LongPrompt(60);
    ASSERT_TRUE(bench.queue.Submit(
        std::make_unique<Session>(endless, std::make_unique<testing::RecordingSink>(unbounded),
                                  bench.text, bench.clock.NowNs())));
    EXPECT_TRUE(bench.queue.WaitUntilQuiet(std::chrono::hours(1)));
    bench.queue.Stop();
    engine.join();
  }
  ASSERT_EQ(unbounded->finished.size(), 1U);
  EXPECT_EQ(unbounded->reason(), FinishReason::kContextFull);
  EXPECT_EQ(unbounded->tokens().size(), 4U);
}

TEST(StepLoop, TasksRunBetweenStepsAndWhileIdle) {
  Bench bench;
  bench.forward.next = [](std::int32_t, std::uint32_t) { return 1; };
  bool in_run = false;  // on the engine's thread only
  std::thread engine([&] { bench.loop.Run(); });
  int ran = 0;
  const std::thread::id engine_id = engine.get_id();
  EXPECT_TRUE(bench.queue
                  .RunBetweenSteps([&] {
                    EXPECT_EQ(std::this_thread::get_id(), engine_id);
                    ++ran;
                  })
                  .ok());
  EXPECT_EQ(ran, 1);
  std::vector<std::thread> callers;
  bench.Submit(GreedyPlan(Tokens({1}), 50));
  for (int i = 0; i < 3; ++i) {
    callers.emplace_back([&] {
      for (int j = 0; j < 100; ++j) {
        EXPECT_TRUE(bench.queue
                        .RunBetweenSteps([&] {
                          EXPECT_FALSE(in_run);
                          in_run = true;
                          ++ran;
                          in_run = false;
                        })
                        .ok());
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(ran, 301);
  EXPECT_TRUE(bench.queue.WaitUntilQuiet(std::chrono::hours(1)));
  bench.queue.Stop();
  engine.join();
  EXPECT_EQ(bench.queue.RunBetweenSteps([&] { ++ran; }).code(), StatusCode::kUnavailable);
  EXPECT_EQ(ran, 301);
}

class CountingIdleWork final : public IdleWork {
 public:
  std::optional<std::uint64_t> OnIdle(std::uint64_t idle_since_ns) override {
    EXPECT_TRUE(idle_calls == 0 || since_ns == idle_since_ns || !was_idle);
    since_ns = idle_since_ns;
    was_idle = true;
    // Three times at once, then only when something happens.
    return ++idle_calls % 4 == 0 ? std::nullopt : std::optional<std::uint64_t>(idle_since_ns);
  }
  void OnBusy() override {
    EXPECT_TRUE(was_idle);
    was_idle = false;
    ++busy_calls;
  }
  std::atomic<int> idle_calls = 0;
  std::atomic<int> busy_calls = 0;
  bool was_idle = false;
  std::uint64_t since_ns = 0;
};

TEST(StepLoop, IdleWorkHearsWhenRequestsComeAndGo) {
  CountingIdleWork work;
  Bench bench;
  bench.loop.SetIdleWork(&work);
  std::thread engine([&] { bench.loop.Run(); });
  while (work.idle_calls < 4) std::this_thread::yield();
  EXPECT_EQ(work.busy_calls, 0);
  const auto heard = bench.Submit(GreedyPlan(Tokens({1}), 3));
  EXPECT_TRUE(bench.queue.WaitUntilQuiet(std::chrono::hours(1)));
  EXPECT_EQ(work.busy_calls, 1);
  while (work.idle_calls < 8) std::this_thread::yield();
  bench.queue.Stop();
  engine.join();
  EXPECT_EQ(heard->finished.size(), 1U);
}

TEST(StepLoop, RestsOnlyWhereItWaitsForWork) {
  Heartbeat heartbeat;
  bool rested_in_step = false;
  Bench bench;  // looks until its end
  bench.loop.SetHeartbeat(&heartbeat);
  bench.loop.SetBetweenSteps([&]() -> std::optional<std::uint64_t> {
    rested_in_step |= heartbeat.Look().rests;
    return std::nullopt;
  });
  std::thread engine([&] { bench.loop.Run(); });
  while (!heartbeat.Look().rests || heartbeat.Look().beats == 0) std::this_thread::yield();
  const std::uint64_t before = heartbeat.Look().beats;
  const auto heard = bench.Submit(GreedyPlan(Tokens({1}), 30));
  EXPECT_TRUE(bench.queue.WaitUntilQuiet(std::chrono::hours(1)));
  EXPECT_GE(heartbeat.Look().beats, before + 30);
  bench.queue.Stop();
  engine.join();
  EXPECT_FALSE(rested_in_step);
}

TEST(StepLoop, LooksBetweenStepsAndWhenItSaidSo) {
  std::atomic<int> looks = 0;
  std::size_t steps_seen = 0;
  Bench bench;  // looks until its end
  bench.loop.SetBetweenSteps([&]() -> std::optional<std::uint64_t> {
    EXPECT_LE(bench.forward.steps.size(), steps_seen + 1) << "a step without a look before it";
    steps_seen = bench.forward.steps.size();
    // At once while nothing runs: looked at again without anything happening.
    return ++looks % 8 == 0 ? std::nullopt : std::optional<std::uint64_t>(0);
  });
  std::thread engine([&] { bench.loop.Run(); });
  while (looks < 8) std::this_thread::yield();
  const auto heard = bench.Submit(GreedyPlan(Tokens({1}), 30));
  EXPECT_TRUE(bench.queue.WaitUntilQuiet(std::chrono::hours(1)));
  bench.queue.Stop();
  engine.join();
  EXPECT_EQ(heard->tokens().size(), 30U);
}

TEST(StepLoop, StopEndsEverySinkOnce) {
  std::vector<std::shared_ptr<Heard>> heard;
  {
    Bench bench;
    for (int i = 0; i < 6; ++i) heard.push_back(bench.Submit(GreedyPlan(Tokens({1}), 60)));
    ASSERT_TRUE(bench.loop.Step());
    heard.push_back(bench.Submit(GreedyPlan(Tokens({1}), 60)));  // never looked at
  }
  for (const auto& one : heard) {
    EXPECT_EQ(one->started.size(), 1U);
    ASSERT_EQ(one->finished.size(), 1U);
    EXPECT_EQ(one->reason(), FinishReason::kCancelled);
    EXPECT_TRUE(one->destroyed);
  }
}

}  // namespace
}  // namespace edgemoe
