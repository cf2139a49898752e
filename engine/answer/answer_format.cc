// SPDX-License-Identifier: Apache-2.0
#include "engine/answer/answer_format.h"

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
  if (has("<|tool_calls_section_begin|>")) return CallSyntax::kKimi;
  if (has("[TOOL_CALLS]")) return CallSyntax::kMistral;
  if (has("<tool_call>") && has("<arg_key>")) return CallSyntax::kGlm;
  if (has("<tool_call>") && has("<function=")) return CallSyntax::kQwenCoder;
  if (has("<tool_call>")) return CallSyntax::kHermes;
  if (has("<|python_tag|>") || (has("<|start_header_id|>") && has("\"parameters\"")))
    return CallSyntax::kLlama;
  return CallSyntax::kNone;
}

}  // namespace

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
