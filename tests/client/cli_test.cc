// SPDX-License-Identifier: Apache-2.0
//
// The program `edgemoe` against a fake daemon.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/client/fake_daemon.h"
#include "tests/support/child_process.h"

namespace edgemoe {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::vector<json> Lines(const std::string& text) {
  std::vector<json> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(json::parse(line));
  return lines;
}

class CliTest : public testing::Test {
 protected:
  struct Outcome {
    std::optional<int> code;
    std::string output;
    std::string errors;
  };

  static std::vector<std::string> Command(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), EDGEMOE_PROGRAM);
    return arguments;
  }

  ChildProcess::Options WithSocket() const {
    ChildProcess::Options options;
    options.environment = {{"EDGEMOE_SOCKET", socket_}, {"TERM", "dumb"}};
    return options;
  }

  Outcome Run(const std::vector<std::string>& arguments, const std::string& input = "") {
    ChildProcess::Options options = WithSocket();
    options.input = input;
    ChildProcess process(Command(arguments), options);
    const auto code = process.Wait();
    return {code, process.output(), process.errors()};
  }

  TempFolder folder_;
  std::string socket_ = folder_ / "d.sock";
  FakeDaemon daemon_{"unix:" + socket_};
};

TEST_F(CliTest, CompletesFromArgumentFileAndInput) {
  EXPECT_EQ(Run({"complete", "one two"}).output, "one two\n");
  EXPECT_EQ(Run({"complete"}, "three four").output, "three four\n");
  std::ofstream(folder_ / "prompt") << "from a file";
  EXPECT_EQ(Run({"complete", "--file", folder_ / "prompt"}).output, "from a file\n");
  EXPECT_EQ(Run({"complete", "-f", "-"}, "again").output, "again\n");
}

TEST(CliUsageTest, AWordThatIsNoCommandIsNamedAndWhatWasMeant) {
  const auto errors = [](const std::vector<std::string>& words) {
    std::vector<std::string> command = {EDGEMOE_PROGRAM};
    command.insert(command.end(), words.begin(), words.end());
    ChildProcess process(command);
    EXPECT_EQ(process.Wait(), 64);
    return process.errors();
  };
  EXPECT_THAT(errors({"foo"}), AllOf(HasSubstr("found \"foo\"; accepted: setup, complete"),
                                     Not(HasSubstr("did you mean"))));
  EXPECT_THAT(errors({"list"}), HasSubstr("did you mean \"models\"?"));
  EXPECT_THAT(errors({"complet", "hi"}), HasSubstr("did you mean \"complete\"?"));
  EXPECT_THAT(errors({"trace", "recrod"}), HasSubstr("did you mean \"record\"?"));
  EXPECT_THAT(errors({}), HasSubstr("subcommand"));
}

TEST_F(CliTest, AnOutputThatIsThereAlreadyStays) {
  const std::string path = folder_ / "mine.csv";
  std::ofstream(path) << "mine";
  const Outcome outcome = Run({"trace", "record", "-o", path});
  EXPECT_EQ(outcome.code, 73);
  EXPECT_THAT(outcome.errors, HasSubstr("ALREADY_EXISTS: --output: " + path));
  EXPECT_EQ(Run({"trace", "record", "-o", folder_ / "none/t.csv"}).code, 68);
}

// As in a build tree: the bench is in the folder beside the client's.
TEST(CliReplayTest, FindsTheBenchOfItsBuildTree) {
  const TempFolder folder;
  for (const char* name : {"client", "bench"}) std::filesystem::create_directory(folder / name);
  std::filesystem::copy_file(EDGEMOE_PROGRAM, folder / "client/edgemoe");
  std::ofstream(folder / "bench/edgemoe-bench") << "#!/bin/sh\nprintf '[%s]' \"$@\"\n";
  std::filesystem::permissions(folder / "bench/edgemoe-bench", std::filesystem::perms::owner_all);
  ChildProcess process({folder / "client/edgemoe", "trace", "replay", "t.csv"},
                       {.input = {}, .environment = {{"PATH", "/nowhere"}}});
  EXPECT_EQ(process.Wait(), 0) << process.errors();
  EXPECT_EQ(process.output(), "[replay][t.csv]");
}

// No daemon is asked: the words go to edgemoe-bench, whatever they are.
TEST(CliReplayTest, HandsItsWordsToTheBench) {
  const TempFolder folder;
  const std::string bench = folder / "edgemoe-bench";
  std::ofstream(bench) << "#!/bin/sh\nprintf '[%s]' \"$@\"\n";
  std::filesystem::permissions(bench, std::filesystem::perms::owner_all);
  // A copy with nothing beside it.
  std::filesystem::create_directory(folder / "alone");
  std::filesystem::copy_file(EDGEMOE_PROGRAM, folder / "alone/edgemoe");
  ChildProcess process({folder / "alone/edgemoe", "trace", "replay", "t.csv", "--budget", "5MiB",
                        "--json", "-", "-h"},
                       {.input = {}, .environment = {{"PATH", folder.path() + ":/usr/bin:/bin"}}});
  EXPECT_EQ(process.Wait(), 0) << process.errors();
  EXPECT_EQ(process.output(), "[replay][t.csv][--budget][5MiB][--json][-][-h]");
  ChildProcess absent({folder / "alone/edgemoe", "trace", "replay", "t.csv"},
                      {.input = {}, .environment = {{"PATH", "/nowhere"}}});
  EXPECT_NE(absent.Wait(), 0);
  EXPECT_THAT(absent.errors(), HasSubstr("edgemoe-bench"));
}

TEST_F(CliTest, PassesEveryOption) {
  const Outcome outcome = Run({"complete",
                               "-m",
                               "fake",
                               "-t",
                               "0.5",
                               "--top-k",
                               "7",
                               "--top-p",
                               "0.9",
                               "--min-p",
                               "0.1",
                               "--repetition-penalty",
                               "1.1",
                               "--presence-penalty",
                               "0.2",
                               "--frequency-penalty",
                               "-0.3",
                               "--penalty-last-n",
                               "32",
                               "--seed",
                               "18446744073709551615",
                               "--logit-bias",
                               "5=-2.5",
                               "--logit-bias",
                               "6=1",
                               "-n",
                               "9",
                               "--stop",
                               "END",
                               "--stop",
                               "two words",
                               "--stop-token",
                               "3",
                               "--time-limit",
                               "1.5",
                               "--ignore-end",
                               "--logprobs",
                               "2",
                               "hi"});
  ASSERT_EQ(outcome.code, 0) << outcome.errors;
  const v1::CompleteRequest request = daemon_.last_complete();
  EXPECT_EQ(request.prompt(), "hi");
  EXPECT_EQ(request.model(), "fake");
  EXPECT_FLOAT_EQ(request.sampling().temperature(), 0.5F);
  EXPECT_EQ(request.sampling().top_k(), 7u);
  EXPECT_FLOAT_EQ(request.sampling().top_p(), 0.9F);
  EXPECT_FLOAT_EQ(request.sampling().min_p(), 0.1F);
  EXPECT_FLOAT_EQ(request.sampling().repetition_penalty(), 1.1F);
  EXPECT_FLOAT_EQ(request.sampling().presence_penalty(), 0.2F);
  EXPECT_FLOAT_EQ(request.sampling().frequency_penalty(), -0.3F);
  EXPECT_EQ(request.sampling().penalty_last_n(), 32u);
  EXPECT_EQ(request.sampling().seed(), 18446744073709551615ULL);
  ASSERT_EQ(request.sampling().logit_bias_size(), 2);
  EXPECT_EQ(request.sampling().logit_bias(0).token(), 5);
  EXPECT_FLOAT_EQ(request.sampling().logit_bias(0).bias(), -2.5F);
  EXPECT_EQ(request.stopping().max_tokens(), 9u);
  EXPECT_THAT(request.stopping().sequences(), ElementsAre("END", "two words"));
  EXPECT_THAT(request.stopping().tokens(), ElementsAre(3));
  EXPECT_EQ(request.stopping().time_limit_seconds(), 1.5);
  EXPECT_TRUE(request.stopping().ignore_end_of_generation());
  EXPECT_EQ(request.response().top_logprobs(), 2u);
}

TEST_F(CliTest, LeavesOutWhatWasNotSaid) {
  Run({"complete", "hi"});
  const v1::CompleteRequest request = daemon_.last_complete();
  EXPECT_FALSE(request.sampling().has_temperature());
  EXPECT_FALSE(request.sampling().has_seed());
  EXPECT_FALSE(request.stopping().has_max_tokens());
  EXPECT_FALSE(request.response().has_top_logprobs());
}

TEST_F(CliTest, PromptTokens) {
  Run({"complete", "--prompt-tokens", "1,2,3"});
  EXPECT_THAT(daemon_.last_complete().prompt_tokens().ids(), ElementsAre(1, 2, 3));
}

TEST_F(CliTest, JsonIsOneMessageALine) {
  const Outcome outcome = Run({"complete", "--json", "one two"});
  ASSERT_EQ(outcome.code, 0);
  const auto lines = Lines(outcome.output);
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[0]["started"]["requestId"], "0007");
  EXPECT_EQ(lines[1]["chunk"]["text"], "one");
  EXPECT_EQ(lines[2]["chunk"]["tokens"], json::array({1}));
  EXPECT_EQ(lines[3]["finished"]["reason"], "FINISH_REASON_STOP_TOKEN");
  EXPECT_EQ(lines[3]["finished"]["io"]["expertHits"], "75");
}

TEST_F(CliTest, VerboseTellsTheAccount) {
  const Outcome outcome = Run({"complete", "-v", "a b c d"});
  EXPECT_EQ(outcome.output, "a b c d\n");
  EXPECT_THAT(outcome.errors, HasSubstr("12.5 tok/s"));
  EXPECT_THAT(outcome.errors, HasSubstr("75.0 % hits"));
  EXPECT_THAT(outcome.errors, HasSubstr("1.00 KiB read per token"));
}

TEST_F(CliTest, ErrorsHaveTheirOwnExitCodes) {
  const Outcome lost = Run({"complete", "data-loss"});
  EXPECT_EQ(lost.code, 74);
  EXPECT_EQ(lost.output, "half\n");
  EXPECT_THAT(lost.errors, HasSubstr("DATA_LOSS: expert 3 of layer 2"));
  const Outcome full = Run({"complete", "full"});
  EXPECT_EQ(full.code, 75);
  EXPECT_THAT(full.errors, HasSubstr("try again in 2 s"));
  EXPECT_EQ(Run({"complete"}).code, 65);
  EXPECT_EQ(Run({"complete", "caf\xE9"}).code, 65);
  EXPECT_EQ(Run({"models", "other"}).code, 68);
  EXPECT_EQ(Run({"complete", "-f", folder_ / "none"}).code, 66);
  EXPECT_EQ(Run({"complete", "--no-such-flag"}).code, 64);
  EXPECT_EQ(Run({"complete", "--top-k", "many", "hi"}).code, 64);
  EXPECT_EQ(Run({"complete", "--logit-bias", "5", "hi"}).code, 64);
  EXPECT_EQ(Run({}).code, 64);
  EXPECT_EQ(Run({"--help"}).code, 0);
  EXPECT_EQ(Run({"stats", "--socket", folder_ / "none.sock"}).code, 69);
  EXPECT_EQ(Run({"complete", "a b", "--socket", "nonsense"}).code, 65);
}

TEST_F(CliTest, WithoutAModelItSaysWhatToDo) {
  for (const char* command : {"complete", "chat"}) {
    const Outcome outcome = Run({command, "no model"});
    EXPECT_EQ(outcome.code, 65);
    EXPECT_EQ(outcome.errors,
              "edgemoe: FAILED_PRECONDITION: no model is loaded\n`edgemoe setup` chooses a model "
              "for this machine; `edgemoe pull NAME` downloads one.\n");
  }
  const Outcome as_json = Run({"complete", "--json", "no model"});
  EXPECT_EQ(Lines(as_json.output).back()["error"]["reason"], "NO_MODEL");
}

TEST_F(CliTest, ErrorsAsJson) {
  const Outcome outcome = Run({"complete", "--json", "data-loss"});
  EXPECT_EQ(outcome.code, 74);
  EXPECT_EQ(outcome.errors, "");
  EXPECT_EQ(Lines(outcome.output).back()["error"]["code"], "DATA_LOSS");
  const Outcome unary = Run({"--json", "models", "other"});
  EXPECT_EQ(Lines(unary.output).back()["error"]["code"], "NOT_FOUND");
}

TEST_F(CliTest, AnAnswerThatCannotBeWrittenIsAnError) {
  const std::string shell = std::string(EDGEMOE_PROGRAM) + " complete hang > /dev/full";
  ChildProcess process({"/bin/sh", "-c", shell}, WithSocket());
  EXPECT_EQ(process.Wait(), 74);
  EXPECT_TRUE(daemon_.WaitCancelled());
}

TEST_F(CliTest, WaitsWhileTheDaemonLoads) {
  daemon_.state().loading_calls = 2;
  EXPECT_EQ(Run({"complete", "after a while"}).output, "after a while\n");
  daemon_.state().loading_calls = 1;
  EXPECT_EQ(Run({"tokenize", "a"}).output, "97\ta\n");
  daemon_.state().loading_calls = 1000;
  const Outcome outcome = Run({"complete", "--wait", "0", "x"});
  EXPECT_EQ(outcome.code, 69);
  EXPECT_THAT(outcome.errors, HasSubstr("the model is loading: 40 %"));
}

TEST_F(CliTest, WaitsForADaemonThatIsNotThereYet) {
  const std::string socket = folder_ / "later.sock";
  ChildProcess process(Command({"stats", "--json", "--wait", "100", "--socket", socket}));
  const FakeDaemon daemon("unix:" + socket);
  EXPECT_EQ(process.Wait(), 0) << process.errors();
}

TEST_F(CliTest, InterruptCancelsTheAnswer) {
  ChildProcess process(Command({"complete", "hang"}), WithSocket());
  ASSERT_TRUE(process.WaitForOutput("\xE2\x80\xA6"));
  process.Signal(SIGINT);
  EXPECT_EQ(process.Wait(), 130);
  EXPECT_EQ(process.errors(), "");
  EXPECT_TRUE(daemon_.WaitCancelled());
}

TEST_F(CliTest, AnInterruptIsTheLastObjectOfJson) {
  ChildProcess process(Command({"complete", "--json", "hang"}), WithSocket());
  ASSERT_TRUE(process.WaitForOutput("\xE2\x80\xA6"));
  process.Signal(SIGINT);
  EXPECT_EQ(process.Wait(), 130);
  EXPECT_EQ(Lines(process.output()).back()["error"]["code"], "CANCELLED");
}

TEST_F(CliTest, AKilledClientCancelsItsRequest) {
  ChildProcess process(Command({"complete", "hang"}), WithSocket());
  ASSERT_TRUE(process.WaitForOutput("\xE2\x80\xA6"));
  process.Signal(SIGKILL);
  EXPECT_EQ(process.Wait(), 137);
  EXPECT_TRUE(daemon_.WaitCancelled());
}

TEST_F(CliTest, ChatAnswersOnceWithoutATerminal) {
  EXPECT_EQ(Run({"chat", "--system", "be brief", "--var", "enable_thinking=false"}, "what is it?\n")
                .output,
            "what is it?\n");
  const v1::ChatRequest request = daemon_.last_chat();
  ASSERT_EQ(request.messages_size(), 2);
  EXPECT_EQ(request.messages(0).role(), "system");
  EXPECT_EQ(request.messages(0).content(0).text(), "be brief");
  EXPECT_EQ(request.messages(1).role(), "user");
  EXPECT_EQ(request.messages(1).content(0).text(), "what is it?");
  EXPECT_EQ(request.template_variables().at("enable_thinking"), "false");
  EXPECT_EQ(Run({"chat", "--message", "hello"}).output, "hello\n");
}

TEST_F(CliTest, ATerminalSeesProgressAndNoControls) {
  if (!ChildProcess::CanHaveTerminal()) GTEST_SKIP() << "no pseudo-terminals here (/dev/pts)";
  ChildProcess::Options options = WithSocket();
  options.terminal = true;
  ChildProcess process(Command({"complete", "long"}), options);
  EXPECT_EQ(process.Wait(), 0);
  EXPECT_THAT(process.output(), HasSubstr("waiting: 3 requests"));
  EXPECT_THAT(process.output(), HasSubstr("64 of 100 tokens"));
  EXPECT_THAT(process.output(), HasSubstr("long\r\n"));
  ChildProcess hostile(Command({"complete", "escape"}), options);
  EXPECT_EQ(hostile.Wait(), 0);
  EXPECT_THAT(hostile.output(), Not(HasSubstr("\x1B[31m")));
}

TEST_F(CliTest, TokensThereAndBack) {
  const Outcome tokens = Run({"tokenize", "H i\n"});
  EXPECT_EQ(tokens.output, "72\tH\n32\t \n105\ti\n10\t\\n\n");
  EXPECT_EQ(Run({"tokenize", "\xC3\xA9"}).output, "195\t\\xC3\n169\t\\xA9\n");
  EXPECT_EQ(Run({"detokenize", "72", "105"}).output, "Hi\n");
  EXPECT_EQ(Run({"detokenize"}, "72, 105\n").output, "Hi\n");
  EXPECT_EQ(Run({"detokenize"}, "72 x").code, 65);
  EXPECT_EQ(Run({"detokenize", "4096"}).code, 65);
  const json parsed = json::parse(Run({"tokenize", "--json", "Hi"}).output);
  EXPECT_EQ(parsed["tokens"][1]["byteBegin"], 1);
}

TEST_F(CliTest, Template) {
  EXPECT_EQ(Run({"template", "--system", "s", "u1", "a1", "u2"}).output,
            "system:s\nuser:u1\nassistant:a1\nuser:u2\n");
}

TEST_F(CliTest, ScoresLongTextsInWindows) {
  // 19 tokens in windows of 8: 7 + 7 + 2 have a log-probability.
  const Outcome outcome = Run({"score", "--json"}, "nineteen characters");
  ASSERT_EQ(outcome.code, 0) << outcome.output;
  const json total = json::parse(outcome.output);
  EXPECT_EQ(total["scoredTokens"], 16);
  EXPECT_EQ(total["windows"], 3);
  EXPECT_NEAR(total["perplexity"].get<double>(), 2.718281828, 1e-6);
  EXPECT_THAT(Run({"score", "short"}).output,
              HasSubstr("perplexity 2.7183 over 4 tokens in 1 window\n"));
  EXPECT_EQ(Run({"score", "x"}).code, 65);
  const auto lines = Lines(Run({"score", "--json", "--logprobs", "0", "abc"}).output);
  EXPECT_EQ(lines.size(), 1u);
}

TEST_F(CliTest, EmbedsArgumentsOrLines) {
  const Outcome two = Run({"embed", "abc", "", "--pooling", "last", "--raw", "-m", "fake"});
  ASSERT_EQ(two.code, 0) << two.output;
  EXPECT_EQ(two.output,
            "{\"index\":0,\"values\":[3],\"tokens\":1}\n"
            "{\"index\":1,\"values\":[0],\"tokens\":1}\n");
  EXPECT_EQ(daemon_.last_embed().pooling(), v1::POOLING_LAST);
  EXPECT_FALSE(daemon_.last_embed().normalize());
  EXPECT_EQ(daemon_.last_embed().model(), "fake");

  std::string input;
  for (int i = 0; i < 300; ++i) input += std::string(static_cast<std::size_t>(i), 'x') + "\n";
  const auto lines = Lines(Run({"embed"}, input).output);
  ASSERT_EQ(lines.size(), 300u) << "in two requests";
  EXPECT_EQ(lines[299]["index"], 299);
  EXPECT_EQ(lines[299]["values"][0], 299);
  EXPECT_EQ(daemon_.last_embed().texts_size(), 44);
  EXPECT_EQ(Run({"embed"}, "").code, 65);
  EXPECT_EQ(Run({"embed", "--pooling", "max", "a"}).code, 64);
}

TEST_F(CliTest, ModelsPlanStatsRequests) {
  EXPECT_THAT(Run({"models"}).output, HasSubstr("torn.gguf: ends after 17 bytes"));
  EXPECT_THAT(Run({"models"}).output, HasSubstr(" LOADED "));
  EXPECT_EQ(json::parse(Run({"models", "--json"}).output)["models"][0]["state"],
            "MODEL_STATE_LOADED");
  EXPECT_THAT(Run({"models", "fake"}).output, HasSubstr("8 served"));
  EXPECT_EQ(Run({"plan", "--budget", "1KiB"}).code, 0);
  const Outcome small = Run({"plan", "--budget", "999"});
  EXPECT_EQ(small.code, 1);
  EXPECT_THAT(small.output, HasSubstr("At least 1000 bytes."));
  EXPECT_THAT(small.output, Not(HasSubstr("expected")));
  EXPECT_THAT(
      Run({"plan"}).output,
      HasSubstr("expected         9.8 (7.1 to 12.0) tok/s, bound by storage; 1.50 MiB read a "
                "token\n"));
  const json plan = json::parse(Run({"plan", "--json"}).output);
  EXPECT_EQ(plan["plan"]["expertTotalBytes"], std::to_string(5ULL << 32));
  EXPECT_EQ(plan["expectedSpeed"]["bound"], "SPEED_BOUND_STORAGE");
  const std::string stats = Run({"stats"}).output;
  EXPECT_THAT(stats, HasSubstr("75.0 % hits"));
  EXPECT_THAT(stats, HasSubstr("pack job         /models/p.gguf: 5 of 6: verifying 25 %"));
  const std::string probe = Run({"probe"}).output;
  EXPECT_THAT(probe, HasSubstr("device 8:1, ext4"));
  EXPECT_THAT(probe, HasSubstr("measured before"));
  EXPECT_THAT(probe, HasSubstr("a note"));
  EXPECT_THAT(Run({"probe", "--fresh"}).output, Not(HasSubstr("measured before")));
  EXPECT_EQ(json::parse(Run({"probe", "--json"}).output)["points"][0]["bytesPerSecond"], 90e6);
  EXPECT_EQ(json::parse(Run({"stats", "--json"}).output)["experts"]["hitRate"], 0.75);
  EXPECT_EQ(json::parse(Run({"resize", "2KiB", "--json"}).output)["budgetBytes"], "2048");
  const Outcome refused = Run({"resize", "999"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.errors, HasSubstr("At least 1000 bytes."));
  EXPECT_EQ(Run({"resize", "many"}).code, 64);
  EXPECT_EQ(Run({"resize"}).code, 64);
  EXPECT_THAT(Run({"ps"}).output, HasSubstr("0007             RUNNING  Chat         1.5s       12 "
                                            "      34  uid 1000, pid 42\n"));
  EXPECT_EQ(json::parse(Run({"ps", "--json"}).output)["requests"][0]["requestId"], "0007");
  EXPECT_EQ(Run({"abort", "0007"}).code, 0);
  EXPECT_EQ(Run({"abort", "0008"}).code, 68);
}

TEST_F(CliTest, HealthIsAnExitCode) {
  EXPECT_EQ(Run({"health"}).code, 0);
  EXPECT_EQ(Run({"health"}).output, "serving\n");
  EXPECT_EQ(json::parse(Run({"health", "--json"}).output)["serving"], true);
  daemon_.SetServing(false);
  const Outcome not_serving = Run({"health"});
  EXPECT_EQ(not_serving.code, 69);
  EXPECT_THAT(not_serving.errors, HasSubstr("UNAVAILABLE: no requests are served"));
  EXPECT_EQ(Run({"health", "--alive"}).code, 0);
  EXPECT_EQ(Run({"health", "--alive"}).output, "not serving\n");
  EXPECT_EQ(json::parse(Run({"health", "--alive", "--json"}).output)["serving"], false);
  EXPECT_EQ(Run({"health", "--alive", "--socket", folder_ / "none.sock"}).code, 69);
}

TEST_F(CliTest, HealthWaitsUntilRequestsAreServed) {
  if (!ChildProcess::CanHaveTerminal()) GTEST_SKIP() << "no pseudo-terminals here (/dev/pts)";
  daemon_.SetServing(false);
  ChildProcess::Options options = WithSocket();
  options.terminal = true;
  ChildProcess process(Command({"health", "--wait", "100"}), options);
  ASSERT_TRUE(process.WaitForOutput("waiting for the daemon")) << process.output();
  daemon_.SetServing(true);
  EXPECT_EQ(process.Wait(), 0) << process.output();
  EXPECT_THAT(process.output(), HasSubstr("serving\r\n"));
}

TEST_F(CliTest, ModelsOfARepository) {
  const Outcome shown = Run({"models", "show", "hf.co/a/b"});
  EXPECT_EQ(shown.code, 0) << shown.errors;
  EXPECT_THAT(shown.output, testing::StartsWith("quant "));
  EXPECT_THAT(shown.output, HasSubstr("\nQ4_0 "));
  EXPECT_THAT(shown.output, testing::EndsWith("hf.co/a/b:Q4_0\nIt is the only one.\n"));
  const auto lines = Lines(Run({"models", "https://h/m.gguf", "--json"}).output);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0]["model"]["quant"], "Q4_0");
  EXPECT_EQ(lines[1]["recommendation"]["reason"], "It is the only one.");
  EXPECT_THAT(Run({"models", "show", "short"}).output, HasSubstr("short:Q4_0"));
  EXPECT_EQ(Run({"models", "show", "hf.co/a/large"}).code, 1);
  EXPECT_EQ(Run({"models", "show", "huggingface.co/a/b"}).code, 0);
  EXPECT_EQ(Run({"models", "show", "hf.co/a/none"}).code, 68);
  const Outcome other = Run({"models", "show", "other"});
  EXPECT_EQ(other.code, 68);
  EXPECT_THAT(other.errors, HasSubstr("is unknown; there is: fake"));
}

}  // namespace
}  // namespace edgemoe
