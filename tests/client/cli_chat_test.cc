// SPDX-License-Identifier: Apache-2.0
//
// `edgemoe chat` at a terminal, against a fake daemon, which says the words of the question.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/client/fake_daemon.h"
#include "tests/support/child_process.h"

namespace edgemoe {
namespace {

using testing::HasSubstr;

class CliChatTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!ChildProcess::CanHaveTerminal()) GTEST_SKIP() << "no pseudo-terminals here (/dev/pts)";
  }

  static std::vector<std::string> Command(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {EDGEMOE_PROGRAM, "chat"});
    return arguments;
  }

  ChildProcess::Options Terminal() const {
    ChildProcess::Options options;
    options.environment = {
        {"EDGEMOE_SOCKET", socket_}, {"TERM", "dumb"}, {"EDGEMOE_HISTORY", history_}};
    options.terminal = true;
    return options;
  }

  // Types a line once the prompt is there, and waits for what comes of it and the next prompt.
  static testing::AssertionResult Converse(ChildProcess& process, const std::string& line,
                                           const std::string& outcome) {
    const std::size_t before = process.output().size();
    process.Type(line + "\n");
    const auto has_come = [&] {
      const std::string output = process.output().substr(before);
      const std::size_t found = output.find(outcome, output.find('\n'));
      return found != std::string::npos && output.find("\r\n> ", found) != std::string::npos;
    };
    if (WaitUntil(has_come)) return testing::AssertionSuccess();
    return testing::AssertionFailure() << process.output();
  }

  std::string HistoryText() const {
    std::ifstream file(history_);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  TempFolder folder_;
  std::string socket_ = folder_ / "d.sock";
  std::string history_ = folder_ / "history";
  FakeDaemon daemon_{"unix:" + socket_};
};

TEST_F(CliChatTest, ChatKeepsTheConversation) {
  ChildProcess process(Command({"--system", "s"}), Terminal());
  ASSERT_TRUE(process.WaitForOutput("/help"));
  process.Type("caf\xC3\xA9 one\n");
  ASSERT_TRUE(daemon_.WaitChat(2, "caf\xC3\xA9 one")) << process.output();
  process.Type("two\n");
  ASSERT_TRUE(daemon_.WaitChat(4, "two")) << process.output();
  const v1::ChatRequest request = daemon_.last_chat();
  EXPECT_EQ(request.messages(1).content(0).text(), "caf\xC3\xA9 one");
  EXPECT_EQ(request.messages(2).role(), "assistant");
  EXPECT_EQ(request.messages(2).content(0).text(), "caf\xC3\xA9 one");
  process.Type("/clear\n");
  ASSERT_TRUE(process.WaitForOutput("starts anew"));
  process.Type("three\n");
  ASSERT_TRUE(daemon_.WaitChat(2, "three"));
  // Not while it answers: then the terminal takes the key for itself.
  ASSERT_TRUE(process.WaitForOutput("three\r\nthree\r\n> "));
  process.Type("\x04");
  EXPECT_EQ(process.Wait(), 0);
}

TEST_F(CliChatTest, InterruptInAChatStopsTheAnswerOnly) {
  ChildProcess process(Command({}), Terminal());
  ASSERT_TRUE(process.WaitForOutput("/help"));
  process.Type("hang\n");
  ASSERT_TRUE(process.WaitForOutput("\xE2\x80\xA6"));
  process.Type("\x03");
  ASSERT_TRUE(daemon_.WaitCancelled());
  // What is typed before the prompt is there the terminal shows by itself.
  ASSERT_TRUE(process.WaitForOutput("\xE2\x80\xA6^C\r\n> "));
  process.Type("and now\n");
  ASSERT_TRUE(daemon_.WaitChat(3, "and now")) << process.output();
  EXPECT_EQ(daemon_.last_chat().messages(1).content(0).text(), "\xE2\x80\xA6");
  ASSERT_TRUE(process.WaitForOutput("and now\r\n> "));
  process.Type("half a line\x03");
  ASSERT_TRUE(process.WaitForOutput("Ctrl-C again"));
  process.Type("fresh\n");
  ASSERT_TRUE(daemon_.WaitChat(5, "fresh"));
  ASSERT_TRUE(process.WaitForOutput("fresh\r\nfresh\r\n> "));
  process.Type("\x03");
  ASSERT_TRUE(process.WaitForOutput("fresh\r\n> ^C\r\nCtrl-C again"));
  process.Type("\x03");
  EXPECT_EQ(process.Wait(), 130);
}

TEST_F(CliChatTest, AChatGoesOnAfterAnError) {
  ChildProcess process(Command({}), Terminal());
  ASSERT_TRUE(process.WaitForOutput("/help"));
  process.Type("full\n");
  ASSERT_TRUE(process.WaitForOutput("RESOURCE_EXHAUSTED"));
  process.Type("still there\n");
  ASSERT_TRUE(daemon_.WaitChat(1, "still there"));
  // The conversation, with this question, is longer than the context.
  process.Type("too long\n");
  ASSERT_TRUE(process.WaitForOutput("is taken out of the conversation")) << process.output();
  process.Type("once more\n");
  ASSERT_TRUE(daemon_.WaitChat(3, "once more"));
  ASSERT_TRUE(process.WaitForOutput("once more\r\n> "));
  process.Type("/exit\n");
  EXPECT_EQ(process.Wait(), 0);
}

TEST_F(CliChatTest, WhatNoLongerFitsIsForgottenAndTold) {
  ChildProcess process(Command({"--system", "sys"}), Terminal());
  ASSERT_TRUE(process.WaitForOutput("/help"));
  ASSERT_TRUE(Converse(process, "one-one-one", "one-one-one"));
  ASSERT_TRUE(Converse(process, "two-two-two", "two-two-two"));
  ASSERT_TRUE(Converse(process, "six-six-six", "six-six-six"));
  // 3 + 3 * 22 + 4 bytes; of three turns with 25 each the last stays.
  daemon_.state().chat_context = 60;
  const int calls_before = daemon_.state().chat_count;
  ASSERT_TRUE(Converse(process, "four",
                       "dropped the oldest 2 turns: the conversation no longer fits the context "
                       "of 60 tokens\r\nfour\r\n"));
  EXPECT_EQ(daemon_.state().chat_count - calls_before, 2) << "one refusal was enough";
  const v1::ChatRequest request = daemon_.last_chat();
  ASSERT_EQ(request.messages_size(), 4);
  EXPECT_EQ(request.messages(0).role(), "system");
  EXPECT_EQ(request.messages(1).content(0).text(), "six-six-six");
  EXPECT_EQ(request.messages(3).content(0).text(), "four");
  // What fits in no way leaves the conversation as it was.
  ASSERT_TRUE(Converse(process, std::string(61, 'x'), "is taken out of the conversation"));
  EXPECT_THAT(process.output(), HasSubstr("INVALID_ARGUMENT: messages: found 64 tokens"));
  ASSERT_TRUE(Converse(process, "five", "five"));
  EXPECT_EQ(daemon_.last_chat().messages_size(), 6);
  process.Type("/exit\n");
  EXPECT_EQ(process.Wait(), 0);
}

TEST_F(CliChatTest, SystemMessageAndSettingsChangeOnTheWay) {
  ChildProcess process(Command({"-t", "0.5"}), Terminal());
  ASSERT_TRUE(process.WaitForOutput("/help"));
  ASSERT_TRUE(Converse(process, "/system", "There is no system message."));
  ASSERT_TRUE(Converse(process, "one", "one"));
  ASSERT_TRUE(Converse(process, "/system be brief", "is another"));
  ASSERT_TRUE(Converse(process, "/system", "be brief"));
  ASSERT_TRUE(Converse(process, "/set top_k 7", "top_k               7"));
  ASSERT_TRUE(Converse(process, "/set", "temperature         0.5"));
  ASSERT_TRUE(Converse(process, "/set temperature default", "temperature         default"));
  ASSERT_TRUE(Converse(process, "two", "two"));
  v1::ChatRequest request = daemon_.last_chat();
  ASSERT_EQ(request.messages_size(), 4);
  EXPECT_EQ(request.messages(0).content(0).text(), "be brief");
  EXPECT_EQ(request.messages(1).content(0).text(), "one");
  EXPECT_EQ(request.sampling().top_k(), 7u);
  EXPECT_FALSE(request.sampling().has_temperature());
  ASSERT_TRUE(Converse(process, "/clear", "starts anew"));
  ASSERT_TRUE(Converse(process, "/system -", "no system message from now on"));
  ASSERT_TRUE(Converse(process, "three", "three"));
  EXPECT_EQ(daemon_.last_chat().messages_size(), 1);
  ASSERT_TRUE(Converse(process, "/sytem x", "did you mean /system?"));
  ASSERT_TRUE(Converse(process, "/help", "drops the last answer and asks again"));
  process.Type("\x04");
  EXPECT_EQ(process.Wait(), 0);
}

TEST_F(CliChatTest, RetryAsksOnceMoreAndKeepsTheAnswerWhereThatFails) {
  ChildProcess process(Command({}), Terminal());
  ASSERT_TRUE(process.WaitForOutput("/help"));
  ASSERT_TRUE(Converse(process, "/retry", "Nothing was asked yet."));
  ASSERT_TRUE(Converse(process, "one", "one"));
  ASSERT_TRUE(Converse(process, "two", "two"));
  ASSERT_TRUE(Converse(process, "/retry", "two"));
  EXPECT_EQ(daemon_.last_chat().messages_size(), 3);
  daemon_.state().chat_context = 1;
  ASSERT_TRUE(Converse(process, "/retry", "INVALID_ARGUMENT"));
  daemon_.state().chat_context = 0;
  ASSERT_TRUE(Converse(process, "three", "three"));
  const v1::ChatRequest request = daemon_.last_chat();
  ASSERT_EQ(request.messages_size(), 5);
  EXPECT_EQ(request.messages(3).content(0).text(), "two");
  process.Type("\x04");
  EXPECT_EQ(process.Wait(), 0);
}

TEST_F(CliChatTest, AConversationIsSavedAndGoesOnElsewhere) {
  const std::string path = folder_ / "chat.json";
  {
    ChildProcess process(Command({"--system", "be brief", "--top-k", "7"}), Terminal());
    ASSERT_TRUE(process.WaitForOutput("/help"));
    ASSERT_TRUE(Converse(process, "one", "one"));
    ASSERT_TRUE(Converse(process, "/save " + path, "1 turn saved in " + path));
    ASSERT_TRUE(Converse(process, "/save " + path, "is there already; /save! replaces it"));
    ASSERT_TRUE(Converse(process, "two", "two"));
    ASSERT_TRUE(Converse(process, "/save! " + path, "2 turns saved in " + path));
    process.Type("\x04");
    EXPECT_EQ(process.Wait(), 0);
  }
  ChildProcess process(Command({"-m", "fake"}), Terminal());
  ASSERT_TRUE(process.WaitForOutput("/help"));
  ASSERT_TRUE(Converse(process, "mine", "mine"));
  std::ofstream(folder_ / "broken") << "{\"messages\": [{\"role\": \"robot\"}]}";
  ASSERT_TRUE(Converse(process, "/load " + folder_ / "broken", "messages[0].role: found"));
  ASSERT_TRUE(Converse(process, "/load " + folder_ / "none", "NOT_FOUND"));
  ASSERT_TRUE(Converse(process, "still", "still"));
  EXPECT_EQ(daemon_.last_chat().messages(0).content(0).text(), "mine") << "it was kept";
  ASSERT_TRUE(Converse(process, "/load " + path, "2 turns of " + path + " loaded"));
  ASSERT_TRUE(Converse(process, "three", "three"));
  const v1::ChatRequest request = daemon_.last_chat();
  ASSERT_EQ(request.messages_size(), 6);
  EXPECT_EQ(request.messages(0).content(0).text(), "be brief");
  EXPECT_EQ(request.messages(3).content(0).text(), "two");
  EXPECT_EQ(request.sampling().top_k(), 7u);
  EXPECT_EQ(request.model(), "fake") << "the one that is talked with";
  process.Type("\x04");
  EXPECT_EQ(process.Wait(), 0);
}

TEST_F(CliChatTest, SeveralLinesAreOneMessage) {
  ChildProcess process(Command({}), Terminal());
  ASSERT_TRUE(process.WaitForOutput("/help"));
  process.Type("\"\"\"\n");
  process.Type("/exit\n");
  ASSERT_TRUE(Converse(process, "  two\"\"\"", "/exit two"));
  EXPECT_EQ(daemon_.last_chat().messages(0).content(0).text(), "/exit\n  two");
  process.Type("/system a\\\n");
  ASSERT_TRUE(Converse(process, "b", "is another"));
  process.Type("half\\\n");
  ASSERT_TRUE(process.WaitForOutput("half\\\r\n. "));
  process.Type("\x03");
  ASSERT_TRUE(process.WaitForOutput("half\\\r\n. ^C\r\n> "));
  ASSERT_TRUE(Converse(process, "whole", "whole"));
  EXPECT_EQ(daemon_.last_chat().messages(0).content(0).text(), "a\nb");
  EXPECT_EQ(daemon_.last_chat().messages(3).content(0).text(), "whole");
  process.Type("\x04");
  EXPECT_EQ(process.Wait(), 0);
}

TEST_F(CliChatTest, LinesAreRememberedInTheNextConversation) {
  {
    ChildProcess process(Command({}), Terminal());
    ASSERT_TRUE(process.WaitForOutput("/help"));
    ASSERT_TRUE(Converse(process, "first", "first"));
    ASSERT_TRUE(Converse(process, " secret", "secret"));
    ASSERT_TRUE(Converse(process, "second", "second"));
    process.Type("\x04");
    EXPECT_EQ(process.Wait(), 0);
  }
  EXPECT_EQ(HistoryText(), "first\nsecond\n");
  EXPECT_EQ(std::filesystem::status(history_).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  ChildProcess process(Command({}), Terminal());
  ASSERT_TRUE(process.WaitForOutput("> "));
  // Twice the line before, as the arrow keys do.
  ASSERT_TRUE(Converse(process, "\x10\x10", "first"));
  EXPECT_EQ(daemon_.last_chat().messages(0).content(0).text(), "first");
  process.Type("\x04");
  EXPECT_EQ(process.Wait(), 0);
}

TEST_F(CliChatTest, AnEmptyVariableKeepsNoHistory) {
  ChildProcess::Options options = Terminal();
  options.environment.back() = {"XDG_STATE_HOME", folder_.path()};
  const std::string chat = EDGEMOE_PROGRAM " chat";
  {
    ChildProcess process({"/bin/sh", "-c", "EDGEMOE_HISTORY= exec " + chat}, options);
    ASSERT_TRUE(process.WaitForOutput("/help"));
    ASSERT_TRUE(Converse(process, "one", "one"));
    process.Type("\x04");
    EXPECT_EQ(process.Wait(), 0);
  }
  EXPECT_FALSE(std::filesystem::exists(folder_ / "edgemoe"));
  ChildProcess process({"/bin/sh", "-c", "unset EDGEMOE_HISTORY; exec " + chat}, options);
  ASSERT_TRUE(process.WaitForOutput("/help"));
  ASSERT_TRUE(Converse(process, "one", "one"));
  process.Type("\x04");
  EXPECT_EQ(process.Wait(), 0);
  EXPECT_TRUE(std::filesystem::exists(folder_ / "edgemoe/chat_history"));
}

}  // namespace
}  // namespace edgemoe
