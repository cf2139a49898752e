// SPDX-License-Identifier: Apache-2.0
//
// A daemon whose memory changes while it serves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/e2e/answers.h"
#include "tests/support/daemon_process.h"
#include "tests/support/models/tiny_model.h"
#include "tests/support/sanitized.h"

namespace edgemoe {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class E2eMemoryTest : public testing::Test {
 protected:
  struct Outcome {
    std::optional<int> code;
    std::string output;
    std::string errors;
  };
  Outcome Edgemoe(const std::vector<std::string>& arguments) {
    std::vector<std::string> command = {EDGEMOE_PROGRAM, "--socket", socket_};
    command.insert(command.end(), arguments.begin(), arguments.end());
    ChildProcess process(command, {});
    const auto code = process.Wait();
    return {code, process.output(), process.errors()};
  }

  TempFolder folder_;
  std::string socket_ = folder_ / "d.sock";
};

TEST_F(E2eMemoryTest, ResizeDuringAStreamKeepsItsTokens) {
  DaemonProcess daemon(socket_, {"--memory-adapt", "off"});
  ASSERT_TRUE(daemon.WaitReady()) << daemon.log();
  client::Client client = daemon.Connect();
  const auto expected = Receive(client.Complete(Greedy("Once upon a time", 200)));
  ASSERT_TRUE(expected.status.ok()) << expected.status.ToString();
  const auto whole = client.GetStats()->memory();

  std::thread stream([&] {
    client::Client own = daemon.Connect();
    const auto answer = Receive(own.Complete(Greedy("Once upon a time", 200)));
    EXPECT_TRUE(answer.status.ok()) << answer.status.ToString();
    EXPECT_EQ(answer.tokens, expected.tokens);
  });
  const std::uint64_t quarter =
      whole.budget_floor_bytes() + (whole.budget_resident_bytes() - whole.budget_floor_bytes()) / 4;
  const std::uint64_t resident_before = client.GetStats()->process().resident_bytes();
  const Outcome shrunk = Edgemoe({"resize", std::to_string(quarter), "--json"});
  EXPECT_EQ(shrunk.code, 0) << shrunk.errors;
  EXPECT_EQ(json::parse(shrunk.output)["budgetBytes"], std::to_string(quarter));
  const auto stats = client.GetStats();
  ASSERT_TRUE(stats);
  EXPECT_EQ(stats->memory().budget_bytes(), quarter);
  EXPECT_LE(stats->experts().slab_bytes(), stats->memory().expert_bytes());
  if (!kSanitized) {
    EXPECT_LT(stats->process().resident_bytes(), resident_before);
  }
  const Outcome grown =
      Edgemoe({"resize", std::to_string(whole.budget_resident_bytes()), "--json"});
  EXPECT_EQ(grown.code, 0) << grown.errors;
  stream.join();
  EXPECT_EQ(client.GetStats()->experts().slab_bytes(), whole.expert_total_bytes());
  EXPECT_EQ(Receive(client.Complete(Greedy("Once upon a time", 200))).tokens, expected.tokens);
}

// Bounds that load meets with half to spare; at rest the process is at 24 MiB beside the plan.
TEST_F(E2eMemoryTest, LongTextsTakeLittleMemoryBesideTheBudget) {
  DaemonProcess daemon(socket_, {"--memory-adapt", "off", "--expert-budget", "10MiB"});
  ASSERT_TRUE(daemon.WaitReady()) << daemon.log();
  client::Client client = daemon.Connect();
  v1::TokenizeRequest request;
  while (request.text().size() < 4'000'000) request.mutable_text()->append("The cat sat down. ");
  const std::uint64_t rest = client.GetStats()->process().resident_bytes();
  std::vector<std::thread> clients;
  for (int i = 0; i < 4; ++i)
    clients.emplace_back([&] {
      client::Client own = daemon.Connect();
      EXPECT_TRUE(own.Tokenize(request));
    });
  for (std::thread& thread : clients) thread.join();
  if (kSanitized) return;
  const auto memory = client.GetStats()->process();
  EXPECT_LT(memory.peak_resident_bytes(), rest + (std::uint64_t{40} << 20));
  EXPECT_TRUE(WaitUntil([&] {
    return client.GetStats()->process().resident_bytes() < rest + (std::uint64_t{4} << 20);
  }));
}

// As many tokens as Qwen's vocabulary has: 36 MiB at rest, 44 at the most.
TEST_F(E2eMemoryTest, ALargeVocabularyTakesLittleMemoryBesideTheBudget) {
  const std::string model = folder_ / "words.gguf";
  ASSERT_TRUE(WriteTinyModel(model, {.further_tokens = 151'000}).ok());
  DaemonProcess daemon(socket_, {"--model", model, "--memory-adapt", "off"});
  ASSERT_TRUE(daemon.WaitReady()) << daemon.log();
  client::Client client = daemon.Connect();
  v1::TokenizeRequest request;
  request.set_text("ABCD");
  ASSERT_EQ(client.Tokenize(request)->tokens_size(), 2) << "\"AB\" and \"CD\"";
  if (kSanitized) return;
  const auto stats = client.GetStats();
  const std::uint64_t planned = stats->memory().dense_bytes() + stats->experts().resident_bytes();
  EXPECT_LT(stats->process().resident_bytes() - planned, std::uint64_t{48} << 20);
  EXPECT_LT(stats->process().peak_resident_bytes() - planned, std::uint64_t{64} << 20);
}

TEST_F(E2eMemoryTest, TheAdviceWorksWhenFollowed) {
  DaemonProcess daemon(socket_, {"--memory-adapt", "off"});
  ASSERT_TRUE(daemon.WaitReady()) << daemon.log();
  const std::string refusal = Edgemoe({"resize", "1MiB"}).errors;
  const std::string before = "least that works with these options is ";
  const std::size_t at = refusal.find(before);
  ASSERT_NE(at, std::string::npos) << refusal;
  const std::string advice =
      refusal.substr(at + before.size(), refusal.find(" (", at) - at - before.size());
  const Outcome followed = Edgemoe({"resize", advice});
  EXPECT_EQ(followed.code, 0) << advice << ": " << followed.errors;

  client::Client client = daemon.Connect();
  EXPECT_EQ(client.Plan({})->plan().budget_bytes(), client.GetStats()->memory().budget_bytes());
  const Outcome huge = Edgemoe({"resize", "500TiB"});
  EXPECT_EQ(huge.code, 1);
  EXPECT_THAT(huge.errors, HasSubstr("can be used here"));
  EXPECT_EQ(Edgemoe({"resize", "auto"}).code, 0);
  EXPECT_EQ(client.GetStats()->memory().budget_bytes(),
            client.GetStats()->memory().budget_resident_bytes());
}

TEST_F(E2eMemoryTest, ABudgetBelowTheFloorIsRefused) {
  DaemonProcess daemon(socket_, {"--memory-adapt", "off"});
  ASSERT_TRUE(daemon.WaitReady()) << daemon.log();
  client::Client client = daemon.Connect();
  const std::uint64_t before = client.GetStats()->memory().budget_bytes();
  const Outcome refused = Edgemoe({"resize", "1MiB"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.errors, HasSubstr("budget_bytes: found 1.00 MiB"));
  EXPECT_THAT(refused.errors,
              HasSubstr(std::to_string(client.GetStats()->memory().budget_floor_bytes())));
  EXPECT_EQ(client.GetStats()->memory().budget_bytes(), before);
}

TEST_F(E2eMemoryTest, ARestartIsWarm) {
  const DaemonProcess::Environment environment = {{"STATE_DIRECTORY", folder_ / "state"}};
  std::uint64_t resident = 0;
  {
    DaemonProcess daemon(socket_, {"--predictor", "none"}, environment);
    ASSERT_TRUE(daemon.WaitReady()) << daemon.log();
    client::Client client = daemon.Connect();
    ASSERT_TRUE(Receive(client.Complete(Greedy("Once upon a time", 20))).status.ok());
    resident = client.GetStats()->experts().resident();
    ASSERT_GT(resident, 0u);
    EXPECT_EQ(daemon.Stop(), 0) << daemon.log();
  }
  DaemonProcess daemon(socket_, {"--predictor", "none"}, environment);
  ASSERT_TRUE(daemon.WaitReady()) << daemon.log();
  client::Client client = daemon.Connect();
  EXPECT_TRUE(WaitUntil([&] { return client.GetStats()->experts().resident() == resident; }));
  EXPECT_EQ(client.GetStats()->experts().uses(), 0u);
}

TEST_F(E2eMemoryTest, AnIdleDaemonGivesItsMemoryBack) {
  DaemonProcess daemon(socket_, {"--idle-shrink-after-s", "1"});
  ASSERT_TRUE(daemon.WaitReady()) << daemon.log();
  client::Client client = daemon.Connect();
  const auto expected = Receive(client.Complete(Greedy("Once upon a time", 20)));
  ASSERT_TRUE(expected.status.ok());
  const std::uint64_t floor = client.GetStats()->memory().expert_floor_bytes();
  EXPECT_TRUE(WaitUntil([&] { return client.GetStats()->experts().slab_bytes() <= floor; }));
  EXPECT_EQ(Receive(client.Complete(Greedy("Once upon a time", 20))).tokens, expected.tokens);
  EXPECT_THAT(daemon.log(), HasSubstr("busy again"));
}

}  // namespace
}  // namespace edgemoe
