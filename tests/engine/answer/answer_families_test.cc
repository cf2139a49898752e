// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/engine/answer/answer_parts.h"

namespace edgemoe {
namespace {

TEST(AnswerFamilies, GiveTheirParts) {
  for (const AnswerCase& answer : FamilyAnswers()) {
    EXPECT_EQ(PartsOf(answer, {}), answer.parts) << answer.name;
  }
}

// What has been given out is never taken back, and is given out as soon as it is certain: a word
// without any mark in it does not wait for what comes next.
TEST(AnswerFamilies, GiveTextAsItComes) {
  AnswerParser parser(FindAnswerFormat("<think> <tool_call>"), {}, "");
  const auto push = [&parser](std::string_view text) {
    std::vector<AnswerEvent> events;
    parser.Push(text, events);
    return Parts(events);
  };
  using Parts = std::vector<std::string>;
  EXPECT_EQ(push("<thi"), Parts{});
  EXPECT_FALSE(parser.in_reasoning());
  EXPECT_EQ(push("nk>\nW"), Parts{"reasoning W"});
  EXPECT_TRUE(parser.in_reasoning());
  EXPECT_EQ(push("hy"), Parts{"reasoning hy"});
  EXPECT_EQ(push("</think"), Parts{});
  EXPECT_TRUE(parser.in_reasoning());
  EXPECT_EQ(push("ing"), Parts{"reasoning </thinking"});
  EXPECT_EQ(push("</think>"), Parts{});
  EXPECT_FALSE(parser.in_reasoning());
  EXPECT_EQ(push("\n\nBecause"), Parts{"content Because"});
  EXPECT_EQ(push(" <tool"), Parts{});
  EXPECT_EQ(push("_call>{\"name\": \"f\", \"arg"), Parts{});
  EXPECT_EQ(push("uments\": {\"a\""), (Parts{"call 0 f", "arguments {\"a\""}));
  EXPECT_EQ(push(": \"lo"), Parts{"arguments : \"lo"});
  EXPECT_EQ(push("ng\"}}"), (Parts{"arguments ng\"}", "end 0"}));
}

TEST(AnswerFamilies, StreamTextsOfKnownTypes) {
  const std::vector<AnswerTool> tools = {DescribeAnswerTool(
      "f", R"({"properties": {"text": {"type": "string"}, "any": {"type": ["string", "null"]}}})")};
  AnswerParser parser(FindAnswerFormat("<tool_call><arg_key>"), tools, "");
  std::vector<AnswerEvent> events;
  parser.Push("<tool_call>f<arg_key>text</arg_key><arg_value>a line\n</arg", events);
  EXPECT_EQ(Parts(events),
            (std::vector<std::string>{"call 0 f", "arguments {\"text\": \"a line\\n"}));
  events.clear();
  parser.Push("_</arg_value><arg_key>any</arg_key><arg_value>nu", events);
  EXPECT_EQ(Parts(events), std::vector<std::string>{"arguments </arg_\", \"any\": "});
}

}  // namespace
}  // namespace edgemoe
