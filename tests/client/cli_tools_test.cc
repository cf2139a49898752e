// SPDX-License-Identifier: Apache-2.0
//
// `edgemoe chat` with tools and reasoning, against a fake daemon.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/client/fake_daemon.h"
#include "tests/support/child_process.h"

namespace edgemoe {
namespace {

using testing::HasSubstr;

class CliToolsTest : public testing::Test {
 protected:
  struct Outcome {
    std::optional<int> code;
    std::string output;
    std::string errors;
  };

  Outcome Chat(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {EDGEMOE_PROGRAM, "chat"});
    ChildProcess::Options options;
    options.environment = {{"EDGEMOE_SOCKET", socket_}, {"TERM", "dumb"}};
    ChildProcess process(arguments, options);
    const auto code = process.Wait();
    return {code, process.output(), process.errors()};
  }

  std::string ToolsFile(const std::string& text) {
    std::ofstream(folder_ / "tools.json") << text;
    return folder_ / "tools.json";
  }

  TempFolder folder_;
  std::string socket_ = folder_ / "d.sock";
  FakeDaemon daemon_{"unix:" + socket_};
};

TEST_F(CliToolsTest, ACallIsRunAndItsResultSentBack) {
  const std::string file = ToolsFile(R"([{"name": "look", "description": "Looks.",
      "parameters": {"type": "object"}, "command": ["sh", "-c", "cat; echo , $0", "seen"]}])");
  const Outcome chat = Chat({"--tools", file, "--yes", "there"});
  EXPECT_EQ(chat.code, 0) << chat.errors;
  EXPECT_EQ(chat.output, "look c1 gave {\"q\": \"there\"}, seen\n");
  EXPECT_THAT(chat.errors, HasSubstr("[calls look {\"q\": \"there\"}]"));
  const v1::ChatRequest request = daemon_.last_chat();
  ASSERT_EQ(request.tools_size(), 1);
  EXPECT_EQ(request.tools(0).parameters(), R"({"type":"object"})");
  ASSERT_EQ(request.messages_size(), 3);
  EXPECT_EQ(request.messages(1).reasoning(), "Hm. ");
  EXPECT_EQ(request.messages(1).tool_calls(0).arguments(), "{\"q\": \"there\"}");
  EXPECT_EQ(request.messages(2).role(), "tool");
}

TEST_F(CliToolsTest, WhatGoesWrongIsToldToTheModel) {
  const auto output = [this](const std::string& command) {
    return Chat({"--tools",
                 ToolsFile(R"([{"function": {"name": "f"}, "command": )" + command + "}]"), "--yes",
                 "x"})
        .output;
  };
  EXPECT_EQ(output(R"(["sh", "-c", "echo half; exit 3"])"), "f c1 gave half\n[exit status 3]\n");
  EXPECT_THAT(output(R"(["/no/such/program"])"),
              HasSubstr("Error: cannot run /no/such/program: No such file or directory"));
  EXPECT_EQ(output(R"(["printf", "a\\377b"])"),
            "f c1 gave a\xEF\xBF\xBD"
            "b\n");
}

TEST_F(CliToolsTest, ToolFilesAreChecked) {
  const auto errors = [this](const std::string& text) {
    const Outcome chat = Chat({"--tools", ToolsFile(text), "--yes", "x"});
    EXPECT_NE(chat.code, 0);
    return chat.errors;
  };
  EXPECT_THAT(errors("{"), HasSubstr("found no JSON; accepted: a list of tools"));
  EXPECT_THAT(errors("[1]"), HasSubstr("[0]: found 1; accepted: an object"));
  EXPECT_THAT(errors(R"([{"command": ["x"]}])"), HasSubstr("[0].name: found null"));
  EXPECT_THAT(errors(R"([{"name": "f", "command": "x"}])"), HasSubstr("[0].command: found \"x\""));
  EXPECT_THAT(errors(R"([{"name": "f", "command": ["x"], "parameters": []}])"),
              HasSubstr("[0].parameters: found []"));
  EXPECT_THAT(Chat({"--tools", "/no/such/file", "--yes", "x"}).errors, HasSubstr("cannot open"));
  EXPECT_THAT(Chat({"--tools", ToolsFile("[]"), "x"}).errors, HasSubstr("accepted: with --yes"));
}

TEST_F(CliToolsTest, AConversationAsksAndShowsThoughtsDim) {
  if (!ChildProcess::CanHaveTerminal()) GTEST_SKIP() << "no pseudo-terminals here (/dev/pts)";
  ChildProcess::Options options;
  options.environment = {
      {"EDGEMOE_SOCKET", socket_}, {"TERM", "dumb"}, {"EDGEMOE_HISTORY", "/dev/null"}};
  options.terminal = true;
  const std::string file = ToolsFile(R"([{"name": "look", "command": ["cat"]}])");
  ChildProcess process({EDGEMOE_PROGRAM, "chat", "--tools", file}, options);
  ASSERT_TRUE(process.WaitForOutput("/help"));
  process.Type("there\n");
  ASSERT_TRUE(process.WaitForOutput("\033[2mHm. \033[22m")) << process.output();
  ASSERT_TRUE(process.WaitForOutput("The model calls look {\"q\": \"there\"}")) << process.output();
  ASSERT_TRUE(process.WaitForOutput("Run it? [y/N] ")) << process.output();
  process.Type("y\n");
  ASSERT_TRUE(process.WaitForOutput("c1 gave {\"q\": \"there\"}\r\n> ")) << process.output();
  process.Type("/fold\n");
  ASSERT_TRUE(process.WaitForOutput("is not shown"));
  process.Type("where\n");
  ASSERT_TRUE(process.WaitForOutput("\"where\"}\r\nRun it? [y/N] ")) << process.output();
  process.Type("n\n");
  ASSERT_TRUE(process.WaitForOutput("the user did not allow this call\r\n> ")) << process.output();
  process.Type("\x04");
  EXPECT_EQ(process.Wait(), 0);
  EXPECT_EQ(daemon_.last_chat().messages_size(), 7);
}

TEST_F(CliToolsTest, SwitchesOfReasoningArrive) {
  EXPECT_EQ(
      Chat({"--no-think", "--reasoning-effort", "low", "--reasoning-limit", "100", "Hi"}).output,
      "Hi\n");
  const v1::Reasoning reasoning = daemon_.last_chat().reasoning();
  EXPECT_TRUE(reasoning.has_enabled());
  EXPECT_FALSE(reasoning.enabled());
  EXPECT_EQ(reasoning.effort(), "low");
  EXPECT_EQ(reasoning.max_tokens(), 100U);
  Chat({"--think", "Hi"});
  EXPECT_TRUE(daemon_.last_chat().reasoning().enabled());
  Chat({"Hi"});
  EXPECT_FALSE(daemon_.last_chat().reasoning().has_enabled());
}

}  // namespace
}  // namespace edgemoe
