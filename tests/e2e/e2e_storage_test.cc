// SPDX-License-Identifier: Apache-2.0
//
// What storage, budget and machine may change, and what not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/e2e/answers.h"
#include "tests/support/daemon_process.h"
#include "tests/support/sanitized.h"

namespace edgemoe {
namespace {

using client::StatusCode;
using testing::HasSubstr;

class E2eStorageTest : public testing::Test {
 protected:
  struct Outcome {
    ReceivedAnswer answer;
    v1::GetStatsResponse stats;
  };

  // One answer of a new daemon with these flags.
  Outcome Answer(const std::vector<std::string>& flags) {
    DaemonProcess daemon(socket_, flags);
    Outcome outcome;
    if (!daemon.WaitReady()) {
      ADD_FAILURE() << daemon.log();
      return outcome;
    }
    client::Client client = daemon.Connect();
    outcome.answer = Receive(client.Complete(Greedy("Once upon a time there was", 48)));
    EXPECT_TRUE(outcome.answer.status.ok()) << outcome.answer.status.ToString();
    if (const auto stats = client.GetStats()) outcome.stats = *stats;
    EXPECT_EQ(daemon.Stop(), 0) << daemon.log();
    return outcome;
  }

  TempFolder folder_;
  std::string socket_ = folder_ / "d.sock";
};

TEST_F(E2eStorageTest, TheBudgetDoesNotChangeTheAnswer) {
  // What is read ahead depends on when other reads come back.
  const std::vector<std::string> no_guesses = {"--predictor", "none"};
  const Outcome whole = Answer(no_guesses);
  ASSERT_EQ(whole.answer.tokens.size(), 48u);
  const std::uint64_t total = whole.stats.memory().expert_total_bytes();
  const std::uint64_t floor = whole.stats.memory().expert_floor_bytes();
  ASSERT_GT(total, floor);
  std::uint64_t read_before = whole.stats.experts().bytes_read();
  for (const std::uint64_t budget : {total / 2, total / 4, floor}) {
    std::vector<std::string> flags = {"--expert-budget", std::to_string(budget)};
    EXPECT_EQ(Answer(flags).answer.tokens, whole.answer.tokens) << budget;
    flags.insert(flags.end(), no_guesses.begin(), no_guesses.end());
    const Outcome part = Answer(flags);
    EXPECT_EQ(part.answer.tokens, whole.answer.tokens) << budget;
    EXPECT_EQ(part.answer.text, whole.answer.text) << budget;
    EXPECT_GE(part.stats.experts().bytes_read(), read_before) << budget;
    EXPECT_LE(part.stats.memory().expert_bytes(), budget);
    read_before = part.stats.experts().bytes_read();
  }
}

TEST_F(E2eStorageTest, NeitherDoThreadsNorTheWayOfReading) {
  const std::vector<std::string> quarter = {"--expert-budget", "12MiB"};
  const auto with = [&](std::vector<std::string> flags) {
    flags.insert(flags.end(), quarter.begin(), quarter.end());
    return Answer(flags).answer.tokens;
  };
  const std::vector<std::int32_t> tokens = with({});
  ASSERT_EQ(tokens.size(), 48u);
  EXPECT_EQ(with({"--io-backend", "pread"}), tokens);
  EXPECT_EQ(with({"--threads", "1"}), tokens);
  EXPECT_EQ(with({"--threads", "2"}), tokens);
  EXPECT_EQ(with({"--io-depth", "1"}), tokens);
  EXPECT_EQ(with({"--prefill-chunk-tokens", "2"}), tokens);
}

TEST_F(E2eStorageTest, AReadErrorFailsTheRequestAndNothingElse) {
  DaemonProcess daemon(socket_, {"--expert-budget", "12MiB", "--io-faults", "eio:after=60"});
  ASSERT_TRUE(daemon.WaitReady()) << daemon.log();
  client::Client client = daemon.Connect();
  client::Status failure;
  for (int i = 0; i < 50 && failure.ok(); ++i)
    failure = Receive(client.Complete(Greedy("Once upon a time there was", 32))).status;
  EXPECT_EQ(failure.code, StatusCode::kDataLoss) << failure.ToString();
  EXPECT_THAT(failure.message, HasSubstr("expert"));
  const ReceivedAnswer next = Receive(client.Complete(Greedy("Once upon a time there was", 32)));
  EXPECT_TRUE(next.status.ok()) << next.status.ToString();
  const auto stats = client.GetStats();
  ASSERT_TRUE(stats);
  EXPECT_EQ(stats->requests().failed(), 1u);
  EXPECT_GE(stats->experts().read_errors(), 1u);
  EXPECT_EQ(daemon.Stop(), 0) << daemon.log();
}

TEST_F(E2eStorageTest, ShortAndSlowReadsDoNotChangeTheAnswer) {
  const std::vector<std::int32_t> tokens = Answer({"--expert-budget", "12MiB"}).answer.tokens;
  EXPECT_EQ(Answer({"--expert-budget", "12MiB", "--io-faults", "short:every=3"}).answer.tokens,
            tokens);
  EXPECT_EQ(Answer({"--expert-budget", "12MiB", "--io-faults", "slow:ms=1"}).answer.tokens, tokens);
}

TEST_F(E2eStorageTest, TheProcessStaysWithinItsBudget) {
  const Outcome ample = Answer({});
  const std::uint64_t floor = ample.stats.memory().budget_floor_bytes();
  ASSERT_GT(floor, 0u);
  const Outcome outcome = Answer({"--memory-budget", std::to_string(floor)});
  EXPECT_EQ(outcome.stats.memory().budget_bytes(), floor);
  EXPECT_LT(outcome.stats.memory().expert_bytes(), outcome.stats.memory().expert_total_bytes());
  EXPECT_GT(outcome.stats.experts().evictions(), 0u);
  if (kSanitized) return;
  // The process itself, with gRPC, has 64 MiB; an emulated one has its emulator beside it, which an
  // ample budget shows as well.
  const std::uint64_t ample_peak = ample.stats.process().peak_resident_bytes();
  const std::uint64_t beside =
      ample_peak - std::min(ample_peak, ample.stats.memory().budget_bytes());
  EXPECT_LE(outcome.stats.process().peak_resident_bytes(),
            floor + std::max<std::uint64_t>(64U << 20, beside));
}

}  // namespace
}  // namespace edgemoe
