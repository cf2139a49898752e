// SPDX-License-Identifier: Apache-2.0
//
// Any answer in any family's format: the same events whole as byte by byte, no text lost where
// nothing is marked, and arguments of ended calls that are JSON objects.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "engine/answer/answer_parser.h"
#include "engine/base/check.h"
#include "engine/base/utf8.h"

namespace edgemoe {
namespace {

constexpr std::string_view kTemplates[] = {
    "<think><tool_call>{",           "<think><tool_call><function=",
    "<think><tool_call><arg_key>",   "<|start|><|channel|><|message|>",
    "<|channel>thought<|tool_call>", "<start_function_call>",
    "<think><|tool_call_start|>",    "<|python_tag|>",
    "[THINK][TOOL_CALLS]",           "<think><\uFF5Ctool\u2581calls\u2581begin\uFF5C>",
    "<|tool_calls_section_begin|>",  "no marks",
    "<think><minimax:tool_call>",    "<think>\uFF5CDSML\uFF5C function_calls",
};

// Joins what is one, so that events compare whatever the pieces were.
void Append(const std::vector<AnswerEvent>& piece, std::vector<AnswerEvent>& all) {
  for (const AnswerEvent& event : piece) {
    const bool text =
        event.kind <= AnswerEvent::Kind::kContent || event.kind == AnswerEvent::Kind::kArguments;
    if (text && !all.empty() && all.back().kind == event.kind) {
      all.back().text += event.text;
    } else {
      all.push_back(event);
    }
  }
}

std::vector<AnswerEvent> Parse(AnswerParser parser, std::string_view answer, std::size_t piece) {
  std::vector<AnswerEvent> all;
  while (!answer.empty()) {
    std::vector<AnswerEvent> events;
    parser.Push(answer.substr(0, piece), events);
    answer.remove_prefix(std::min(piece, answer.size()));
    Append(events, all);
  }
  std::vector<AnswerEvent> rest;
  parser.Finish(rest);
  Append(rest, all);
  return all;
}

void CheckCalls(const std::vector<AnswerEvent>& events) {
  std::string arguments;
  std::uint32_t begun = 0;
  for (const AnswerEvent& event : events) {
    switch (event.kind) {
      case AnswerEvent::Kind::kCallBegun:
        EDGEMOE_CHECK(event.call_index == begun++, "calls are counted");
        EDGEMOE_CHECK(!event.call_name.empty(), "a call has a name");
        arguments.clear();
        break;
      case AnswerEvent::Kind::kArguments: arguments += event.text; break;
      case AnswerEvent::Kind::kCallEnded:
        EDGEMOE_CHECK(nlohmann::json::parse(arguments, nullptr, false).is_object(),
                      "arguments are an object");
        break;
      default: break;
    }
  }
}

}  // namespace
}  // namespace edgemoe

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace edgemoe;
  if (size < 2) return 0;
  const std::string_view template_text = kTemplates[data[0] % std::size(kTemplates)];
  const AnswerFormat format = FindAnswerFormat(template_text);
  const std::string_view prompt = data[1] % 2 == 0 ? "" : format.reasoning_open;
  const std::size_t piece = 1 + data[1] / 2;
  const std::string_view answer(reinterpret_cast<const char*>(data + 2), size - 2);
  const auto make = [&] {
    return AnswerParser(
        format, {DescribeAnswerTool("f", R"({"properties": {"a": {"type": "string"}}})")}, prompt);
  };
  const std::vector<AnswerEvent> events = Parse(make(), answer, answer.size() + 1);
  EDGEMOE_CHECK(events == Parse(make(), answer, piece), "cuts change nothing");
  if (FindInvalidUtf8(answer) == std::string_view::npos) CheckCalls(events);
  if (!format.has_parts()) {
    EDGEMOE_CHECK(answer.empty() || (events.size() == 1 && events[0].text == answer),
                  "what has no parts is content");
  }
  return 0;
}
