// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "engine/answer/answer_splitter.h"
#include "engine/answer/harmony_answer.h"
#include "tests/engine/answer/answer_parts.h"

namespace edgemoe {
namespace {

std::vector<std::string> PartsOfText(const std::string& template_text, const std::string& answer) {
  return PartsOf({.name = {},
                  .template_text = template_text,
                  .prompt = {},
                  .tools = {},
                  .answer = answer,
                  .parts = {}},
                 {});
}

TEST(AnswerLimits, ACallThatIsTooLongIsText) {
  const std::string long_text(kCallBytesMax, 'a');
  const std::string answer = "<tool_call>{\"name\": \"f\", \"arguments\": {\"a\": \"" + long_text;
  const auto parts = PartsOfText("<tool_call>", answer);
  ASSERT_EQ(parts.size(), 4U);
  EXPECT_EQ(parts[0], "call 0 f");
  EXPECT_EQ(parts[2], "not parsed 0: a call that is longer than 1 MiB");
  EXPECT_EQ(parts[3], "content " + answer);
  EXPECT_EQ(PartsOfText("<|start|><|channel|><|message|>",
                        "<|channel|>commentary to=functions.f<|message|>{\"a\": \"" + long_text)
                .back(),
            "content {\"a\": \"" + long_text);
}

TEST(AnswerLimits, CallsAreCounted) {
  std::string answer;
  for (std::uint32_t i = 0; i < kCallsMax + 2; ++i)
    answer += "<tool_call>{\"name\": \"f\", \"arguments\": {}}</tool_call>";
  const auto parts = PartsOfText("<tool_call>", answer);
  EXPECT_EQ(std::count(parts.begin(), parts.end(), "call 127 f"), 1);
  EXPECT_EQ(std::count_if(parts.begin(), parts.end(),
                          [](const std::string& part) { return part.starts_with("end "); }),
            kCallsMax);
}

TEST(AnswerLimits, NestingIsBounded) {
  const std::string deep = std::string(100'000, '[');
  EXPECT_EQ(
      PartsOfText("<tool_call>", "<tool_call>{\"name\": \"f\", \"arguments\": {\"a\": " + deep)
          .back()
          .substr(0, 19),
      "content <tool_call>");
  EXPECT_TRUE(PartsOfText("<|tool_call>", "<|tool_call>call:f{a:" + deep).back().ends_with(deep));
  const auto tagged =
      PartsOfText("<tool_call><arg_key>",
                  "<tool_call>f<arg_key>a</arg_key><arg_value>" + deep + "</arg_value>");
  EXPECT_EQ(tagged[0], "call 0 f");
}

TEST(AnswerLimits, AHeaderIsBounded) {
  const std::string header = "<|channel|>" + std::string(kHarmonyHeaderBytesMax, 'a');
  EXPECT_EQ(
      PartsOfText("<|start|><|channel|><|message|>", header + "b"),
      (std::vector<std::string>{"not parsed: a message's header that is longer than 512 bytes",
                                "content " + header + "b"}));
}

TEST(AnswerLimits, WhiteSpaceIsHeldBackForSomeBytesOnly) {
  AnswerParser parser(FindAnswerFormat("<tool_call>"), {}, "");
  std::vector<AnswerEvent> events;
  parser.Push("a" + std::string(kHeldSpaceBytesMax, ' '), events);
  EXPECT_EQ(Parts(events), std::vector<std::string>{"content a"});
  parser.Push(" ", events);
  EXPECT_EQ(Parts(events),
            std::vector<std::string>{"content a" + std::string(kHeldSpaceBytesMax + 1, ' ')});
}

}  // namespace
}  // namespace edgemoe
