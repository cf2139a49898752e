// SPDX-License-Identifier: Apache-2.0
//
// How a model marks the parts of its answers, told by its chat template, which writes earlier
// answers with the same marks. The families and where each is described: docs/answers.md.
#pragma once

#include <cstdint>
#include <string_view>

namespace edgemoe {

enum class CallSyntax : std::uint8_t {
  kNone,
  kHermes,     // <tool_call>{"name": …, "arguments": …}</tool_call>
  kQwenCoder,  // <tool_call><function=NAME><parameter=KEY>…</parameter></function></tool_call>
  kGlm,        // <tool_call>NAME<arg_key>KEY</arg_key><arg_value>…</arg_value></tool_call>
  kMiniMax,  // <minimax:tool_call><invoke name="NAME"><parameter name="KEY">…</parameter></invoke>
  // The same, each tag's name begun by DSML's own mark, and parameters that tell their types.
  kDsmlFunctionCalls,  // DeepSeek V3.2: in <｜DSML｜function_calls>
  kDsmlToolCalls,      // DeepSeek V4: in <｜DSML｜tool_calls>
  kLlama,              // {"name": …, "parameters": …}, also after <|python_tag|>
  kMistral,            // [TOOL_CALLS][{…}], [TOOL_CALLS]NAME[ARGS]{…}
  kDeepSeek,           // sections of "begin NAME sep {…} end"
  kKimi,               // the same with other marks
  kGemma,              // <|tool_call>call:NAME{KEY:…}<tool_call|>
  kFunctionGemma,      // <start_function_call>call:NAME{KEY:…}<end_function_call>
  kLfm2,               // <|tool_call_start|>[NAME(KEY=…)]<|tool_call_end|>
};

// All texts are in static storage.
struct AnswerFormat {
  // Harmony: messages with headers that name a channel and a recipient. Reasoning and calls are
  // told by these, so that the marks below are not used.
  bool channels = false;
  std::string_view reasoning_open = {};  // empty: no reasoning is marked
  std::string_view reasoning_close = {};
  // What ends reasoning that went on for too long, in the model's own way: it goes on with its
  // content.
  std::string_view reasoning_end_text = {};
  CallSyntax calls = CallSyntax::kNone;

  // Otherwise an answer is one text.
  bool has_parts() const {
    return channels || !reasoning_open.empty() || calls != CallSyntax::kNone;
  }
};

// A control token of that name is a mark or a part of one: the parser is given it as text.
bool IsAnswerMark(const AnswerFormat& format, std::string_view token);

AnswerFormat FindAnswerFormat(std::string_view template_text);

}  // namespace edgemoe
