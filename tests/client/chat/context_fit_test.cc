// SPDX-License-Identifier: Apache-2.0
#include "client/cli/chat/context_fit.h"

#include <gtest/gtest.h>

#include <string>

#include "client/cli/chat/turns.h"

namespace edgemoe::cli {
namespace {

v1::ChatRequest Chat(int turns, std::size_t bytes) {
  v1::ChatRequest request;
  for (int i = 0; i < turns; ++i) {
    if (i > 0) AddMessage(request, "assistant", std::string(bytes / 2, 'a'));
    AddMessage(request, "user", std::string(bytes / 2, 'u'));
  }
  return request;
}

TEST(ContextFitTest, TheRefusalIsKnownByItsReason) {
  client::Status status = {client::StatusCode::kInvalidArgument,
                           "messages: found 9 tokens; accepted: [1, 8]"};
  EXPECT_FALSE(ContextRefusalOf(status)) << "not by its text";
  status.reason = "CONTEXT_EXCEEDED";
  ASSERT_TRUE(ContextRefusalOf(status));
  EXPECT_FALSE(ContextRefusalOf(status)->context_tokens);
  status.metadata = {{"context_tokens", "8"}, {"prompt_tokens", "many"}};
  EXPECT_EQ(ContextRefusalOf(status)->context_tokens, 8u);
  EXPECT_FALSE(ContextRefusalOf(status)->prompt_tokens) << "no number";
}

TEST(ContextFitTest, LeavesRoomForTheAnswer) {
  const v1::ChatRequest chat = Chat(10, 1000);
  // Of the prompt three quarters of 1000 / 1000 stay.
  EXPECT_EQ(TurnsToDrop(chat, {.context_tokens = 1000, .prompt_tokens = 1001}, false), 3);
  EXPECT_EQ(TurnsToDrop(chat, {.context_tokens = 100, .prompt_tokens = 1000}, false), 9);
  EXPECT_EQ(TurnsToDrop(chat, {.context_tokens = 10, .prompt_tokens = 1000}, false), 9)
      << "the last turn stays";
  EXPECT_EQ(TurnsToDrop(chat, {}, false), 5) << "nothing is known";
  EXPECT_EQ(TurnsToDrop(chat, {.context_tokens = 1000, .prompt_tokens = 0}, false), 5);
}

TEST(ContextFitTest, ATurnGoesThoughTheEstimateSaysThatAllFits) {
  EXPECT_EQ(TurnsToDrop(Chat(3, 100), {.context_tokens = 1000, .prompt_tokens = 10}, false), 1);
}

TEST(ContextFitTest, RefusalsAreBounded) {
  v1::ChatRequest chat = Chat(2048, 100);
  int refusals = 0;
  // An estimate that is always wrong.
  for (int more = 1; more > 0; ++refusals) {
    more = TurnsToDrop(chat, {.context_tokens = 1000, .prompt_tokens = 10}, refusals > 0);
    DropOldestTurns(chat, more);
  }
  EXPECT_EQ(TurnCount(chat), 1);
  EXPECT_LE(refusals, 13);
  EXPECT_EQ(TurnsToDrop(v1::ChatRequest(), {}, true), 0);
}

TEST(ContextFitTest, WhatIsNoRequestAnyMoreIsShortened) {
  EXPECT_EQ(TurnsBeyondRequest(Chat(2048, 100)), 0);
  // 2 * 2050 - 1 messages, of which the first turns have two.
  EXPECT_EQ(TurnsBeyondRequest(Chat(2050, 100)), 2);
  EXPECT_EQ(TurnsBeyondRequest(Chat(3, std::size_t{2} << 20)), 1);
  EXPECT_EQ(TurnsBeyondRequest(Chat(1, std::size_t{20} << 20)), 0) << "the last turn stays";
}

}  // namespace
}  // namespace edgemoe::cli
