// SPDX-License-Identifier: Apache-2.0
//
// A conversation at a terminal with the real daemon: one that outgrows the context, and one that is
// saved, loaded and asked again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/e2e/answers.h"
#include "tests/support/daemon_process.h"

namespace edgemoe {
namespace {

using nlohmann::json;

constexpr std::uint32_t kContextTokens = 256;

std::string Words(int count) {
  std::string text = "Tell me of";
  for (int i = 0; i < count; ++i) text += " the cat";
  return text;
}

class E2eChatTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<TempFolder>();
    const std::vector<std::string> flags = {
        "--model",          EDGEMOE_SOURCE_DIR "/models/edgemoe-demo-q8_0.gguf",
        "--expert-budget",  "12MiB",
        "--context-tokens", std::to_string(kContextTokens)};
    daemon_ = std::make_unique<DaemonProcess>(*folder_ / "d.sock", flags);
    ASSERT_TRUE(daemon_->WaitReady()) << daemon_->log();
  }

  static void TearDownTestSuite() {
    daemon_.reset();
    folder_.reset();
  }

  void SetUp() override {
    if (!ChildProcess::CanHaveTerminal()) GTEST_SKIP() << "no pseudo-terminals here (/dev/pts)";
  }

  // Greedy answers of 8 tokens.
  static std::unique_ptr<ChildProcess> Chat() {
    ChildProcess::Options options;
    options.environment = {{"TERM", "dumb"}, {"EDGEMOE_HISTORY", "/dev/null"}};
    options.terminal = true;
    auto chat = std::make_unique<ChildProcess>(
        std::vector<std::string>{EDGEMOE_PROGRAM, "--socket", daemon_->socket(), "chat", "-t", "0",
                                 "-n", "8", "--ignore-end"},
        options);
    EXPECT_TRUE(chat->WaitForOutput("/help"));
    EXPECT_TRUE(chat->WaitForOutput("> "));
    return chat;
  }

  // Types a line, and gives what comes up to the next prompt.
  static std::string Converse(ChildProcess& chat, const std::string& line) {
    const std::size_t before = chat.output().size();
    chat.Type(line + "\n");
    std::string outcome;
    const auto has_come = [&] {
      const std::string output = chat.output().substr(before);
      const std::size_t begin = output.find('\n');
      const std::size_t end = output.find("\r\n> ", begin);
      if (end == std::string::npos) return false;
      outcome = output.substr(begin + 1, end - begin);
      return true;
    };
    EXPECT_TRUE(WaitUntil(has_come)) << chat.output();
    return outcome;
  }

  // The conversation as it is now.
  static json Saved(ChildProcess& chat) {
    const std::string path = *folder_ / "saved.json";
    EXPECT_THAT(Converse(chat, "/save! " + path), testing::HasSubstr("saved in"));
    return json::parse(std::ifstream(path));
  }

  static inline std::unique_ptr<TempFolder> folder_;
  static inline std::unique_ptr<DaemonProcess> daemon_;
};

TEST_F(E2eChatTest, ARefusalTellsItsFigures) {
  client::Client client = daemon_->Connect();
  const auto refusal = [&client](const std::string& text) {
    v1::ChatRequest request;
    request.add_messages()->set_role("user");
    request.mutable_messages(0)->add_content()->set_text(text);
    return Receive(client.Chat(request)).status;
  };
  const client::Status counted = refusal(Words(kContextTokens));
  EXPECT_EQ(counted.reason, "CONTEXT_EXCEEDED");
  EXPECT_EQ(counted.Figure("context_tokens"), kContextTokens);
  EXPECT_GT(counted.Figure("prompt_tokens"), kContextTokens);
  // So many bytes that they need not be counted.
  const client::Status large = refusal(Words(100 * kContextTokens));
  EXPECT_EQ(large.reason, "CONTEXT_EXCEEDED");
  EXPECT_EQ(large.Figure("context_tokens"), kContextTokens);
  EXPECT_FALSE(large.Figure("prompt_tokens"));
}

TEST_F(E2eChatTest, AConversationOutgrowsTheContextAndGoesOn) {
  const std::unique_ptr<ChildProcess> chat = Chat();
  (void)Converse(*chat, "/system Be kind.");
  constexpr int kTurnsMax = 20;  // each has more than kContextTokens / 20
  std::string outcome;
  int turns = 0;
  while (outcome.find("dropped the oldest ") == std::string::npos) {
    ASSERT_LT(turns++, kTurnsMax) << chat->output();
    outcome = Converse(*chat, Words(12));
    ASSERT_EQ(outcome.find("edgemoe: "), std::string::npos) << outcome;
  }
  EXPECT_THAT(outcome, testing::HasSubstr("no longer fits the context of 256 tokens"));
  const json kept = Saved(*chat)["messages"];
  EXPECT_EQ(kept[0]["role"], "system");
  EXPECT_EQ(kept[1]["role"], "user");
  EXPECT_EQ(kept.size() % 2, 1U) << "whole turns";
  EXPECT_LT(kept.size(), 1U + 2 * static_cast<unsigned>(turns));
  // Alone too long: the conversation is as before.
  EXPECT_THAT(Converse(*chat, Words(kContextTokens)),
              testing::HasSubstr("is taken out of the conversation"));
  EXPECT_EQ(Saved(*chat)["messages"], kept);
  chat->Type("/exit\n");
  EXPECT_EQ(chat->Wait(), 0);
}

TEST_F(E2eChatTest, WhatIsSavedGoesOnAndARetryAnswersAgain) {
  const std::string path = *folder_ / "chat.json";
  json saved;
  std::string third;
  {
    const std::unique_ptr<ChildProcess> chat = Chat();
    (void)Converse(*chat, "One cat sat.");
    (void)Converse(*chat, "Two cats sat.");
    saved = Saved(*chat);
    ASSERT_EQ(saved["messages"].size(), 4U);
    (void)Converse(*chat, "/save " + path);
    third = Converse(*chat, "Three cats sat.");
    chat->Type("/exit\n");
    EXPECT_EQ(chat->Wait(), 0);
  }
  const std::unique_ptr<ChildProcess> chat = Chat();
  EXPECT_THAT(Converse(*chat, "/load " + path), testing::HasSubstr("2 turns of"));
  EXPECT_EQ(Saved(*chat), saved);
  (void)Converse(*chat, "/retry");
  EXPECT_EQ(Saved(*chat), saved) << "the most likely tokens once more";
  EXPECT_EQ(Converse(*chat, "Three cats sat."), third);
  chat->Type("/exit\n");
  EXPECT_EQ(chat->Wait(), 0);
}

}  // namespace
}  // namespace edgemoe
