// SPDX-License-Identifier: Apache-2.0
//
// The programs together, as people and scripts use them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/e2e/answers.h"
#include "tests/support/daemon_process.h"

namespace edgemoe {
namespace {

using nlohmann::json;
using testing::ContainsRegex;
using testing::HasSubstr;

class E2eCliTest : public testing::Test {
 protected:
  struct Outcome {
    std::optional<int> code;
    std::string output;
    std::string errors;
  };

  static void SetUpTestSuite() {
    folder_ = std::make_unique<TempFolder>();
    daemon_ = std::make_unique<DaemonProcess>(*folder_ / "d.sock",
                                              std::vector<std::string>{"--expert-budget", "12MiB"});
    ASSERT_TRUE(daemon_->WaitReady()) << daemon_->log();
  }

  static void TearDownTestSuite() {
    daemon_.reset();
    folder_.reset();
  }

  static std::vector<std::string> Command(const std::vector<std::string>& arguments,
                                          const DaemonProcess& daemon = *daemon_) {
    std::vector<std::string> command = {EDGEMOE_PROGRAM, "--socket", daemon.socket()};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return command;
  }

  static Outcome Run(const std::vector<std::string>& arguments, const std::string& input = "") {
    ChildProcess::Options options;
    options.input = input;
    ChildProcess process(Command(arguments), options);
    const auto code = process.Wait();
    return {code, process.output(), process.errors()};
  }

  static inline std::unique_ptr<TempFolder> folder_;
  static inline std::unique_ptr<DaemonProcess> daemon_;
};

TEST_F(E2eCliTest, CompletesAsTextAndAsJson) {
  const std::vector<std::string> arguments = {
      "complete", "-t", "0", "-n", "16", "--ignore-end", "Once upon a time"};
  const Outcome text = Run(arguments);
  ASSERT_EQ(text.code, 0) << text.errors;
  std::vector<std::string> with_json = arguments;
  with_json.emplace_back("--json");
  const Outcome lines = Run(with_json);
  ASSERT_EQ(lines.code, 0) << lines.output;
  std::istringstream stream(lines.output);
  std::string joined, last_line, first_line;
  for (std::string line; std::getline(stream, line); last_line = line) {
    if (first_line.empty()) first_line = line;
    const json message = json::parse(line);
    if (message.contains("chunk")) joined += message["chunk"]["text"].get<std::string>();
  }
  EXPECT_TRUE(json::parse(first_line).contains("started"));
  EXPECT_EQ(json::parse(last_line)["finished"]["reason"], "FINISH_REASON_MAX_TOKENS");
  EXPECT_EQ(json::parse(last_line)["finished"]["usage"]["completionTokens"], 16);
  EXPECT_EQ(joined + (joined.ends_with('\n') ? "" : "\n"), text.output);
}

TEST_F(E2eCliTest, Chats) {
  const Outcome outcome =
      Run({"chat", "-v", "-t", "0", "-n", "12", "--message", "Tell me a story."});
  EXPECT_EQ(outcome.code, 0) << outcome.errors;
  EXPECT_GT(outcome.output.size(), 4u);
  EXPECT_THAT(outcome.errors, HasSubstr("tok/s"));
  EXPECT_THAT(outcome.errors, HasSubstr("read per token"));
}

TEST_F(E2eCliTest, TokensThereAndBack) {
  const Outcome tokens = Run({"tokenize", "--json", "--no-special"}, "A cat & a dog.");
  ASSERT_EQ(tokens.code, 0) << tokens.output;
  std::string ids;
  const json parsed = json::parse(tokens.output);
  ASSERT_GT(parsed["tokens"].size(), 3u);
  for (const json& token : parsed["tokens"]) ids += std::to_string(token["id"].get<int>()) + " ";
  EXPECT_EQ(Run({"detokenize"}, ids).output, "A cat & a dog.\n");
}

TEST_F(E2eCliTest, TellsAboutTheDaemon) {
  EXPECT_THAT(Run({"models"}).output, HasSubstr("LOADED"));
  const std::string plan = Run({"plan"}).output;
  EXPECT_THAT(plan, HasSubstr("experts"));
  EXPECT_THAT(plan, ContainsRegex("expected +[0-9.]+ \\([0-9.]+ to [0-9.]+\\) tok/s, bound "
                                  "by (storage|computing)"));
  EXPECT_GT(Number(json::parse(Run({"plan", "--json"}).output)["plan"]["expertTotalBytes"]),
            1U << 20);
  EXPECT_EQ(Run({"plan", "--budget", "1MiB"}).code, 1);
  EXPECT_GT(Number(json::parse(Run({"stats", "--json"}).output)["process"]["peakResidentBytes"]),
            0U);
  EXPECT_THAT(Run({"template", "Hello"}).output, HasSubstr("Hello"));
}

TEST_F(E2eCliTest, ScoresATextThatIsLongerThanTheContext) {
  std::string text;
  for (int i = 0; i < 60; ++i) text += "The cat sat on the mat and looked at the bird. ";
  std::ofstream(*folder_ / "text") << text;
  const Outcome outcome = Run({"score", "--json", "--file", *folder_ / "text"});
  ASSERT_EQ(outcome.code, 0) << outcome.output;
  const json total = json::parse(outcome.output);
  EXPECT_GT(total["windows"], 1);
  EXPECT_GT(total["perplexity"], 1);
  EXPECT_LT(total["perplexity"], 1000);
}

TEST_F(E2eCliTest, EmbedsArgumentsAndLines) {
  const Outcome outcome = Run({"embed", "The cat sat.", "13:22 INFO"});
  ASSERT_EQ(outcome.code, 0) << outcome.output;
  const json first = json::parse(outcome.output.substr(0, outcome.output.find('\n')));
  EXPECT_EQ(first["index"], 0);
  EXPECT_EQ(first["values"].size(), 256u);
  EXPECT_GT(first["tokens"], 1);
  EXPECT_EQ(Run({"embed", ""}).code, 65);
}

bool Holds(const std::string& path, const std::string& text) {
  std::ostringstream content;
  content << std::ifstream(path).rdbuf();
  return content.str().find(text) != std::string::npos;
}

TEST_F(E2eCliTest, RecordsATraceThatReplays) {
  const std::string path = *folder_ / "demo.route.csv";
  ChildProcess record(Command({"trace", "record", "-o", path, "--steps", "12"}));
  // The header comes as soon as the recording is on.
  ASSERT_TRUE(WaitUntil([&] { return Holds(path, "slot,expert"); }));
  const Outcome second = Run({"trace", "record", "-o", "-", "--seconds", "1"});
  EXPECT_THAT(second.errors, HasSubstr("FAILED_PRECONDITION"));
  ASSERT_EQ(Run({"complete", "-t", "0", "-n", "40", "--ignore-end", "Once"}).code, 0);
  ASSERT_EQ(record.Wait(), 0) << record.errors();
  EXPECT_THAT(record.errors(), HasSubstr(" 0 dropped"));

  ChildProcess::Options options;
  options.environment = {{"PATH", EDGEMOE_BENCH_FOLDER}};
  ChildProcess replay({EDGEMOE_PROGRAM, "trace", "replay", path, "--policy", "lru,belady",
                       "--budget", "4MiB,12MiB", "--json", "-"},
                      options);
  ASSERT_EQ(replay.Wait(), 0) << replay.errors();
  EXPECT_THAT(replay.output(), HasSubstr("belady"));

  const Outcome again = Run({"trace", "record", "-o", path, "--steps", "1"});
  EXPECT_EQ(again.code, 73) << "a file that is there is not overwritten";
}

TEST_F(E2eCliTest, ErrorsAreForPeople) {
  const Outcome outcome = Run({"complete", "-t", "-1", "hi"});
  EXPECT_EQ(outcome.code, 65);
  EXPECT_THAT(outcome.errors, HasSubstr("INVALID_ARGUMENT"));
  EXPECT_THAT(outcome.errors, HasSubstr("temperature"));
  EXPECT_EQ(Run({"complete", "-m", "other", "hi"}).code, 68);
}

TEST_F(E2eCliTest, AKilledClientFreesItsPlace) {
  DaemonProcess daemon(*folder_ / "slow.sock", kSlowStorage);
  ASSERT_TRUE(daemon.WaitReady()) << daemon.log();
  ChildProcess process(
      Command({"complete", "--json", "-t", "0", "-n", "450", "--ignore-end", "Once"}, daemon));
  ASSERT_TRUE(process.WaitForOutput("chunk"));
  process.Signal(SIGKILL);
  EXPECT_EQ(process.Wait(), 137);
  client::Client client = daemon.Connect();
  EXPECT_TRUE(WaitUntil([&] {
    const auto stats = client.GetStats();
    return stats && stats->requests().running() == 0 && stats->kv_cache().blocks_used() == 0;
  }));
}

}  // namespace
}  // namespace edgemoe
