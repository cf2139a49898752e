// SPDX-License-Identifier: Apache-2.0
#include "engine/answer/calls/call_syntax.h"

#include "engine/answer/calls/function_calls.h"
#include "engine/answer/calls/named_calls.h"
#include "engine/answer/calls/tagged_calls.h"
#include "engine/base/check.h"

namespace edgemoe {
namespace {

constexpr FunctionSyntax kGemmaSyntax = {
    .style = LiteralStyle::kGemma,
    .before_name = "call:",
    .opening = '{',
    .equals = ':',
    .closing = '}',
    .list = false,
    .close_mark = "<tool_call|>",
};
constexpr FunctionSyntax kFunctionGemmaSyntax = {
    .style = LiteralStyle::kFunctionGemma,
    .before_name = "call:",
    .opening = '{',
    .equals = ':',
    .closing = '}',
    .list = false,
    .close_mark = "<end_function_call>",
};
constexpr FunctionSyntax kLfm2Syntax = {
    .style = LiteralStyle::kPython,
    .before_name = "",
    .opening = '(',
    .equals = '=',
    .closing = ')',
    .list = true,
    .close_mark = "<|tool_call_end|>",
};

}  // namespace

std::vector<std::string> CallMarks(CallSyntax syntax) {
  switch (syntax) {
    case CallSyntax::kNone: return {};
    case CallSyntax::kHermes:
    case CallSyntax::kQwenCoder:
    case CallSyntax::kGlm: return {"<tool_call>"};
    case CallSyntax::kMiniMax: return {"<minimax:tool_call>"};
    case CallSyntax::kDsmlFunctionCalls: return {"<\uFF5CDSML\uFF5Cfunction_calls>"};
    case CallSyntax::kDsmlToolCalls: return {"<\uFF5CDSML\uFF5Ctool_calls>"};
    case CallSyntax::kLlama: return {"<|python_tag|>"};
    case CallSyntax::kMistral: return {"[TOOL_CALLS]"};
    case CallSyntax::kDeepSeek: return {"<\uFF5Ctool\u2581calls\u2581begin\uFF5C>"};
    case CallSyntax::kKimi: return {"<|tool_calls_section_begin|>"};
    case CallSyntax::kGemma: return {"<|tool_call>"};
    case CallSyntax::kFunctionGemma: return {"<start_function_call>"};
    case CallSyntax::kLfm2: return {"<|tool_call_start|>"};
  }
  return {};
}

std::unique_ptr<CallReader> MakeCallReader(CallSyntax syntax, std::span<const AnswerTool> tools) {
  switch (syntax) {
    case CallSyntax::kHermes: return std::make_unique<MarkedJsonCall>("</tool_call>", tools);
    case CallSyntax::kQwenCoder: return std::make_unique<TaggedCalls>(kQwenCoderTags, tools);
    case CallSyntax::kGlm: return std::make_unique<TaggedCalls>(kGlmTags, tools);
    case CallSyntax::kMiniMax: return std::make_unique<TaggedCalls>(kMiniMaxTags, tools);
    case CallSyntax::kDsmlFunctionCalls:
      return std::make_unique<TaggedCalls>(kDsmlFunctionCallsTags, tools);
    case CallSyntax::kDsmlToolCalls:
      return std::make_unique<TaggedCalls>(kDsmlToolCallsTags, tools);
    case CallSyntax::kLlama: return std::make_unique<MarkedJsonCall>("", tools);
    case CallSyntax::kMistral: return std::make_unique<MistralCalls>();
    case CallSyntax::kDeepSeek: return std::make_unique<SectionCalls>(kDeepSeekMarks);
    case CallSyntax::kKimi: return std::make_unique<SectionCalls>(kKimiMarks);
    case CallSyntax::kGemma: return std::make_unique<FunctionCalls>(kGemmaSyntax);
    case CallSyntax::kFunctionGemma: return std::make_unique<FunctionCalls>(kFunctionGemmaSyntax);
    case CallSyntax::kLfm2: return std::make_unique<FunctionCalls>(kLfm2Syntax);
    case CallSyntax::kNone: break;
  }
  EDGEMOE_CHECK(false, "a call of a format without calls");
  return nullptr;
}

}  // namespace edgemoe
