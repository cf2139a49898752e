// SPDX-License-Identifier: Apache-2.0
#include "engine/answer/answer_format.h"

#include <algorithm>
#include <iterator>
#include <span>

namespace edgemoe {
namespace {

CallSyntax FindCallSyntax(std::string_view text) {
  const auto has = [text](std::string_view part) {
    return text.find(part) != std::string_view::npos;
  };
  if (has("<|tool_call>")) return CallSyntax::kGemma;
  if (has("<start_function_call>")) return CallSyntax::kFunctionGemma;
  // LFM2's first template writes no calls of its own; it marks the list of tools.
  if (has("<|tool_call_start|>") || has("<|tool_list_start|>")) return CallSyntax::kLfm2;
  if (has("<\uFF5Ctool\u2581calls\u2581begin\uFF5C>")) return CallSyntax::kDeepSeek;
  // The template puts its tags together.
  if (has("\uFF5CDSML\uFF5C"))
    return has("function_calls") ? CallSyntax::kDsmlFunctionCalls : CallSyntax::kDsmlToolCalls;
  if (has("<|tool_calls_section_begin|>")) return CallSyntax::kKimi;
  if (has("<minimax:tool_call>")) return CallSyntax::kMiniMax;
  if (has("[TOOL_CALLS]")) return CallSyntax::kMistral;
  if (has("<tool_call>") && has("<arg_key>")) return CallSyntax::kGlm;
  if (has("<tool_call>") && has("<function=")) return CallSyntax::kQwenCoder;
  if (has("<tool_call>")) return CallSyntax::kHermes;
  if (has("<|python_tag|>") || (has("<|start_header_id|>") && has("\"parameters\"")))
    return CallSyntax::kLlama;
  return CallSyntax::kNone;
}

// Marks in which control tokens may stand, apart from those that open and close reasoning.
std::span<const std::string_view> CallMarkTexts(CallSyntax syntax) {
  static constexpr std::string_view kXml[] = {
      "<tool_call>",  "</tool_call>", "<arg_key>",   "</arg_key>",  "<arg_value>",
      "</arg_value>", "<function=",   "</function>", "<parameter=", "</parameter>",
  };
  static constexpr std::string_view kLlama[] = {"<|python_tag|>"};
  static constexpr std::string_view kMistral[] = {"[TOOL_CALLS]", "[CALL_ID]", "[ARGS]"};
  static constexpr std::string_view kDeepSeek[] = {
      "<\uFF5Ctool\u2581calls\u2581begin\uFF5C>",
      "<\uFF5Ctool\u2581call\u2581begin\uFF5C>",
      "<\uFF5Ctool\u2581sep\uFF5C>",
      "<\uFF5Ctool\u2581call\u2581end\uFF5C>",
      "<\uFF5Ctool\u2581calls\u2581end\uFF5C>",
  };
  static constexpr std::string_view kMiniMax[] = {"<minimax:tool_call>", "</minimax:tool_call>"};
  static constexpr std::string_view kDsml[] = {"\uFF5CDSML\uFF5C"};
  static constexpr std::string_view kKimi[] = {
      "<|tool_calls_section_begin|>", "<|tool_call_begin|>",
      "<|tool_call_argument_begin|>", "<|tool_call_end|>",
      "<|tool_calls_section_end|>",
  };
  static constexpr std::string_view kGemma[] = {"<|tool_call>", "<tool_call|>", "<|\"|>"};
  static constexpr std::string_view kFunctionGemma[] = {"<start_function_call>",
                                                        "<end_function_call>", "<escape>"};
  static constexpr std::string_view kLfm2[] = {"<|tool_call_start|>", "<|tool_call_end|>"};
  switch (syntax) {
    case CallSyntax::kNone: return {};
    case CallSyntax::kHermes:
    case CallSyntax::kQwenCoder:
    case CallSyntax::kGlm: return kXml;
    case CallSyntax::kMiniMax: return kMiniMax;
    case CallSyntax::kDsmlFunctionCalls:
    case CallSyntax::kDsmlToolCalls: return kDsml;
    case CallSyntax::kLlama: return kLlama;
    case CallSyntax::kMistral: return kMistral;
    case CallSyntax::kDeepSeek: return kDeepSeek;
    case CallSyntax::kKimi: return kKimi;
    case CallSyntax::kGemma: return kGemma;
    case CallSyntax::kFunctionGemma: return kFunctionGemma;
    case CallSyntax::kLfm2: return kLfm2;
  }
  return {};
}

constexpr std::string_view kHarmonyMarks[] = {
    "<|start|>", "<|channel|>", "<|constrain|>", "<|message|>", "<|end|>", "<|call|>", "<|return|>",
};

}  // namespace

bool IsAnswerMark(const AnswerFormat& format, std::string_view token) {
  if (token.empty()) return false;
  const auto in = [token](std::string_view mark) {
    return mark.find(token) != std::string_view::npos;
  };
  if (format.channels) return std::any_of(std::begin(kHarmonyMarks), std::end(kHarmonyMarks), in);
  const auto marks = CallMarkTexts(format.calls);
  return in(format.reasoning_open) || in(format.reasoning_close) ||
         std::any_of(marks.begin(), marks.end(), in);
}

AnswerFormat FindAnswerFormat(std::string_view template_text) {
  const auto has = [template_text](std::string_view part) {
    return template_text.find(part) != std::string_view::npos;
  };
  if (has("<|start|>") && has("<|channel|>") && has("<|message|>")) {
    return {
        .channels = true,
        .reasoning_end_text = "<|end|><|start|>assistant<|channel|>final<|message|>",
    };
  }
  AnswerFormat format;
  if (has("<|channel>")) {
    format.reasoning_open = "<|channel>thought";
    format.reasoning_close = "<channel|>";
    format.reasoning_end_text = "<channel|>";
  } else if (has("[THINK]")) {
    format.reasoning_open = "[THINK]";
    format.reasoning_close = "[/THINK]";
    format.reasoning_end_text = "[/THINK]";
  } else if (has("<think>") || has("</think>")) {
    format.reasoning_open = "<think>";
    format.reasoning_close = "</think>";
    format.reasoning_end_text = "\n</think>\n\n";
  }
  format.calls = FindCallSyntax(template_text);
  return format;
}

}  // namespace edgemoe
