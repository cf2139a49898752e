// SPDX-License-Identifier: Apache-2.0
#include "engine/answer/answer_format.h"

#include <gtest/gtest.h>

#include "engine/answer/answer_parser.h"
#include "tests/engine/answer/answer_parts.h"

namespace edgemoe {
namespace {

TEST(AnswerFormat, IsFoundByTheMarks) {
  const struct {
    const char* text;
    CallSyntax calls;
    const char* reasoning_open;
  } kTemplates[] = {
      {"{{ messages }}", CallSyntax::kNone, ""},
      {"<think>{{ x }}</think>", CallSyntax::kNone, "<think>"},
      {"content.split('</think>')", CallSyntax::kNone, "<think>"},
      {"<tool_call>\n{\"name\": \"", CallSyntax::kHermes, ""},
      {"<think><tool_call>\n<function=", CallSyntax::kQwenCoder, "<think>"},
      {"<tool_call>{{ n }}<arg_key>", CallSyntax::kGlm, ""},
      {"<|start_header_id|>{\"name\": f, \"parameters\": p}", CallSyntax::kLlama, ""},
      {"[INST][TOOL_CALLS]", CallSyntax::kMistral, ""},
      {"[THINK][/THINK]", CallSyntax::kNone, "[THINK]"},
      {"<｜tool▁calls▁begin｜></think>", CallSyntax::kDeepSeek, "<think>"},
      {"'｜DSML｜' + 'function_calls>' <think>", CallSyntax::kDsmlFunctionCalls, "<think>"},
      {"'｜DSML｜' + 'tool_calls>'", CallSyntax::kDsmlToolCalls, ""},
      {"<minimax:tool_call><think>", CallSyntax::kMiniMax, "<think>"},
      {"<|tool_calls_section_begin|>", CallSyntax::kKimi, ""},
      {"<|channel>thought\n<|tool_call>call:", CallSyntax::kGemma, "<|channel>thought"},
      {"<start_function_call>", CallSyntax::kFunctionGemma, ""},
      {"<|tool_list_start|>", CallSyntax::kLfm2, ""},
      {"<think><|tool_call_start|>", CallSyntax::kLfm2, "<think>"},
  };
  for (const auto& expected : kTemplates) {
    const AnswerFormat format = FindAnswerFormat(expected.text);
    EXPECT_EQ(format.calls, expected.calls) << expected.text;
    EXPECT_EQ(format.reasoning_open, expected.reasoning_open) << expected.text;
    EXPECT_FALSE(format.channels) << expected.text;
    EXPECT_EQ(format.reasoning_open.empty(), format.reasoning_end_text.empty()) << expected.text;
  }
  EXPECT_FALSE(FindAnswerFormat("{{ messages }}").has_parts());
  const AnswerFormat harmony = FindAnswerFormat("<|start|>assistant<|channel|>final<|message|>");
  EXPECT_TRUE(harmony.channels);
  EXPECT_TRUE(harmony.has_parts());
}

// The text that closes endless reasoning makes an answer go on with its content.
TEST(AnswerFormat, ClosesReasoningInItsOwnWay) {
  const struct {
    const char* template_text;
    const char* prompt;
    const char* begin;
  } kFamilies[] = {
      {"<think>", "<think>\n", "and on"},
      {"<|channel>thought", "<|turn>model\n", "<|channel>thought\nand on"},
      {"[THINK]", "[/INST]", "[THINK]and on"},
      {"<|start|><|channel|><|message|>", "<|start|>assistant",
       "<|channel|>analysis<|message|>and on"},
  };
  for (const auto& family : kFamilies) {
    const AnswerFormat format = FindAnswerFormat(family.template_text);
    AnswerParser parser(format, {}, family.prompt);
    std::vector<AnswerEvent> events;
    parser.Push(family.begin, events);
    EXPECT_TRUE(parser.in_reasoning());
    parser.Push(format.reasoning_end_text, events);
    EXPECT_FALSE(parser.in_reasoning());
    parser.Push("So.", events);
    parser.Finish(events);
    EXPECT_EQ(Parts(events), (std::vector<std::string>{"reasoning and on", "content So."}))
        << family.template_text;
  }
}

}  // namespace
}  // namespace edgemoe
