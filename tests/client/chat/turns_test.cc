// SPDX-License-Identifier: Apache-2.0
#include "client/cli/chat/turns.h"

#include <gtest/gtest.h>

#include <string>

namespace edgemoe::cli {
namespace {

// "suatau": the roles of its messages by their first letters; each one's text is its place.
v1::ChatRequest Chat(const std::string& roles) {
  v1::ChatRequest request;
  for (std::size_t i = 0; i < roles.size(); ++i)
    AddMessage(request,
               roles[i] == 's'   ? "system"
               : roles[i] == 'u' ? "user"
               : roles[i] == 'a' ? "assistant"
                                 : "tool",
               std::to_string(i));
  return request;
}

std::string Places(const v1::ChatRequest& request) {
  std::string places;
  for (const v1::ChatMessage& message : request.messages()) places += TextOf(message);
  return places;
}

TEST(TurnsTest, ATurnIsAQuestionWithAllThatFollowed) {
  EXPECT_EQ(TurnCount(Chat("")), 0);
  EXPECT_EQ(TurnCount(Chat("s")), 0);
  EXPECT_EQ(TurnCount(Chat("suatatau")), 2);
  const auto dropped = [](const std::string& roles, int count) {
    v1::ChatRequest request = Chat(roles);
    DropOldestTurns(request, count);
    return Places(request);
  };
  EXPECT_EQ(dropped("suatauau", 1), "0567") << "calls and results go with their question";
  EXPECT_EQ(dropped("suatauau", 2), "07");
  EXPECT_EQ(dropped("suatauau", 3), "0");
  EXPECT_EQ(dropped("uaua", 1), "23") << "without a system message";
  EXPECT_EQ(dropped("suau", 0), "0123");
}

TEST(TurnsTest, TheLastAnswerIsAllBehindTheLastQuestion) {
  v1::ChatRequest request = Chat("suauata");
  EXPECT_TRUE(DropLastAnswer(request));
  EXPECT_EQ(Places(request), "0123");
  EXPECT_TRUE(DropLastAnswer(request)) << "the question itself stays";
  EXPECT_EQ(Places(request), "0123");
  v1::ChatRequest nothing_asked = Chat("s");
  EXPECT_FALSE(DropLastAnswer(nothing_asked));
  EXPECT_EQ(Places(nothing_asked), "0");
}

TEST(TurnsTest, TheSystemMessageIsTheFirst) {
  v1::ChatRequest request = Chat("ua");
  EXPECT_FALSE(HasSystemMessage(request));
  SetSystemMessage(request, "brief");
  ASSERT_TRUE(HasSystemMessage(request));
  EXPECT_EQ(Places(request), "brief01");
  SetSystemMessage(request, "long");
  EXPECT_EQ(Places(request), "long01");
  SetSystemMessage(request, "");
  EXPECT_EQ(Places(request), "01");
}

}  // namespace
}  // namespace edgemoe::cli
