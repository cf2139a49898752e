// SPDX-License-Identifier: Apache-2.0
#include "client/cli/tools/tool_box.h"

#include <algorithm>
#include <utility>

#include "client/cli/tools/tool_program.h"

namespace edgemoe::cli {

void ToolBox::Describe(v1::ChatRequest& request) const {
  for (const LocalTool& tool : tools_) *request.add_tools() = tool.definition;
}

client::Result<v1::ChatMessage> ToolBox::Answer(const v1::ToolCall& call,
                                                Interrupts& interrupts) const {
  client::Result<std::string> text = Run(call, interrupts);
  if (!text && text.error().code == client::StatusCode::kCancelled)
    return tl::unexpected(text.error());
  v1::ChatMessage message;
  message.set_role("tool");
  message.set_tool_call_id(call.id());
  message.set_tool_name(call.name());
  message.add_content()->set_text(text ? *std::move(text) : "Error: " + text.error().message);
  return message;
}

client::Result<std::string> ToolBox::Run(const v1::ToolCall& call, Interrupts& interrupts) const {
  const auto tool = std::find_if(tools_.begin(), tools_.end(), [&](const LocalTool& one) {
    return one.definition.name() == call.name();
  });
  if (tool == tools_.end()) return "Error: there is no tool " + call.name();
  if (!allows_(call.name() + " " + call.arguments()))
    return "Error: the user did not allow this call";
  return RunToolProgram(tool->command, call.arguments(), interrupts);
}

}  // namespace edgemoe::cli
