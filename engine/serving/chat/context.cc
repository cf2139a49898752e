// SPDX-License-Identifier: Apache-2.0
#include "engine/serving/chat/context.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "engine/base/accepted.h"
#include "engine/base/utf8.h"

namespace edgemoe {
namespace {

using Json = nlohmann::ordered_json;

Status CheckUtf8(const std::string& field, std::string_view text) {
  const std::size_t invalid = FindInvalidUtf8(text);
  if (invalid == std::string_view::npos) return OkStatus();
  return NotUtf8Field(field, invalid);
}

Status CheckName(const std::string& field, const std::string& name) {
  EDGEMOE_RETURN_IF_ERROR(CheckRange(field, name.size(), 1, kToolNameBytesMax));
  return CheckUtf8(field, name);
}

Result<Json> ParseObject(const std::string& field, const std::string& text,
                         std::string_view accepted) {
  Json parsed = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!parsed.is_object()) return Failure(InvalidField(field, ShowValue(text), accepted));
  return parsed;
}

Result<Json> CallsOf(const ChatMessage& message, const std::string& in,
                     const TemplateReads& reads) {
  const std::string field = in + ".tool_calls";
  EDGEMOE_FAIL_IF_ERROR(CheckRange(field, message.tool_calls.size(), 0, kToolsMax));
  Json calls = Json::array();
  for (const ToolCall& call : message.tool_calls) {
    const std::string name = field + "[" + std::to_string(calls.size()) + "]";
    EDGEMOE_FAIL_IF_ERROR(CheckName(name + ".name", call.name));
    EDGEMOE_FAIL_IF_ERROR(CheckUtf8(name + ".id", call.id));
    const std::string text = call.arguments.empty() ? "{}" : call.arguments;
    EDGEMOE_ASSIGN_OR_FAIL(Json arguments, ParseObject(name + ".arguments", text, "a JSON object"));
    if (reads.arguments_as_text) arguments = text;
    Json entry = {{"type", "function"},
                  {"function", {{"name", call.name}, {"arguments", std::move(arguments)}}}};
    if (!call.id.empty()) entry["id"] = call.id;
    calls.push_back(std::move(entry));
  }
  return calls;
}

Status AddReasoning(const ChatMessage& message, const std::string& field,
                    const TemplateReads& reads, Json& entry) {
  EDGEMOE_RETURN_IF_ERROR(CheckUtf8(field + ".reasoning", message.reasoning));
  if (message.reasoning.empty()) return OkStatus();
  for (const char* name : {"reasoning_content", "thinking", "reasoning"})
    entry[name] = message.reasoning;
  if (reads.one_of_thoughts_and_content && !message.tool_calls.empty()) entry["content"] = "";
  return OkStatus();
}

Status AddMessage(const ChatMessage& message, const std::string& field, const TemplateReads& reads,
                  Json& list) {
  if (message.role.empty()) {
    return InvalidField(field + ".role", ShowValue(""),
                        "\"system\", \"user\", \"assistant\", \"tool\"");
  }
  EDGEMOE_RETURN_IF_ERROR(CheckUtf8(field + ".role", message.role));
  EDGEMOE_RETURN_IF_ERROR(CheckUtf8(field + ".content", message.content));
  EDGEMOE_RETURN_IF_ERROR(CheckUtf8(field + ".tool_call_id", message.tool_call_id));
  EDGEMOE_RETURN_IF_ERROR(CheckUtf8(field + ".tool_name", message.tool_name));
  Json entry = {{"role", message.role}, {"content", message.content}};
  EDGEMOE_RETURN_IF_ERROR(AddReasoning(message, field, reads, entry));
  if (!message.tool_calls.empty()) {
    EDGEMOE_ASSIGN_OR_RETURN(entry["tool_calls"], CallsOf(message, field, reads));
  }
  if (!message.tool_call_id.empty()) entry["tool_call_id"] = message.tool_call_id;
  if (!message.tool_name.empty()) entry["name"] = message.tool_name;
  list.push_back(std::move(entry));
  return OkStatus();
}

// The tool's name as the message tells it, or the call that it answers: by its id, else by its
// place.
Json ResponderName(const Json& message, const Json& calls, std::size_t place) {
  if (message.contains("name")) return message["name"];
  const auto answered = std::ranges::find_if(calls, [&message](const Json& call) {
    return call.contains("id") && message.contains("tool_call_id") &&
           call["id"] == message["tool_call_id"];
  });
  if (answered != calls.end()) return (*answered)["function"]["name"];
  return calls[std::min(place, calls.size() - 1)]["function"]["name"];
}

// Gemma's templates want what tools gave with the message that called them; an object as such.
void MoveResponsesToCalls(Json& list) {
  Json moved = Json::array();
  for (Json& message : list) {
    Json* const before = moved.empty() ? nullptr : &moved.back();
    if (message["role"] != "tool" || before == nullptr || !before->contains("tool_calls")) {
      moved.push_back(std::move(message));
      continue;
    }
    Json& responses = (*before)["tool_responses"];
    const std::string text = message["content"].get<std::string>();
    Json response = Json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (!response.is_object()) response = text;
    responses.push_back(
        {{"name", ResponderName(message, (*before)["tool_calls"], responses.size())},
         {"response", std::move(response)}});
  }
  list = std::move(moved);
}

Status AddTools(std::span<const ToolDefinition> tools, Json& context) {
  if (tools.empty()) return OkStatus();
  EDGEMOE_RETURN_IF_ERROR(CheckRange("tools", tools.size(), 0, kToolsMax));
  Json list = Json::array();
  for (const ToolDefinition& tool : tools) {
    const std::string field = "tools[" + std::to_string(list.size()) + "]";
    EDGEMOE_RETURN_IF_ERROR(CheckName(field + ".name", tool.name));
    EDGEMOE_RETURN_IF_ERROR(CheckUtf8(field + ".description", tool.description));
    if (tool.parameters.size() > kToolParametersBytesMax) {
      return InvalidField(field + ".parameters", ShowValue(tool.parameters.size()) + " bytes",
                          AcceptedAtMost(kToolParametersBytesMax));
    }
    EDGEMOE_ASSIGN_OR_RETURN(
        Json parameters,
        ParseObject(
            field + ".parameters",
            tool.parameters.empty() ? R"({"type": "object", "properties": {}})" : tool.parameters,
            "a JSON Schema, which is an object"));
    list.push_back({{"type", "function"},
                    {"function",
                     {{"name", tool.name},
                      {"description", tool.description},
                      {"parameters", std::move(parameters)}}}});
  }
  context["tools"] = std::move(list);
  return OkStatus();
}

Status AddSwitches(const ChatTemplateOptions& options, Json& context) {
  if (options.thinks) {
    context["enable_thinking"] = *options.thinks;
    context["thinking"] = *options.thinks;
  }
  if (options.reasoning_effort.empty()) return OkStatus();
  const std::string field = "reasoning.effort";
  EDGEMOE_RETURN_IF_ERROR(CheckUtf8(field, options.reasoning_effort));
  if (options.reasoning_effort.size() > kReasoningEffortBytesMax) {
    return InvalidField(field, ShowValue(options.reasoning_effort.size()) + " bytes",
                        AcceptedAtMost(kReasoningEffortBytesMax));
  }
  context["reasoning_effort"] = options.reasoning_effort;
  return OkStatus();
}

Status AddVariables(const ChatTemplateOptions& options, Json& context) {
  if (options.variables.size() > kTemplateVariablesMax) {
    return InvalidField("template_variables", ShowValue(options.variables.size()),
                        AcceptedAtMost(kTemplateVariablesMax));
  }
  for (const auto& [name, value] : options.variables) {
    const std::string field = "template_variables." + name;
    EDGEMOE_RETURN_IF_ERROR(CheckUtf8(field, value));
    if (context.contains(name))
      return InvalidFieldError(field, "is set by the request itself; accepted: other names");
    Json parsed = Json::parse(value, nullptr, /*allow_exceptions=*/false);
    if (parsed.is_discarded()) {
      return InvalidField(field, ShowValue(value), "a JSON value, as in false or \"text\"");
    }
    context[name] = std::move(parsed);
  }
  return OkStatus();
}

}  // namespace

Result<nlohmann::ordered_json> ChatContext(std::span<const ChatMessage> messages,
                                           std::string_view system_prompt,
                                           const ChatTemplateOptions& options,
                                           const TemplateReads& reads, Json context) {
  if (messages.empty() || messages.size() > kChatMessagesMax) {
    return Failure(
        InvalidField("messages", ShowValue(messages.size()), AcceptedRange(1, kChatMessagesMax)));
  }
  Json list = Json::array();
  if (!system_prompt.empty() &&
      std::ranges::find(messages, "system", &ChatMessage::role) == messages.end())
    list.push_back({{"role", "system"}, {"content", system_prompt}});
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const std::string field = "messages[" + std::to_string(i) + "]";
    EDGEMOE_FAIL_IF_ERROR(AddMessage(messages[i], field, reads, list));
  }
  if (reads.responses_beside_calls) MoveResponsesToCalls(list);
  context["messages"] = std::move(list);
  context["add_generation_prompt"] = options.add_generation_prompt;
  EDGEMOE_FAIL_IF_ERROR(AddTools(options.tools, context));
  EDGEMOE_FAIL_IF_ERROR(AddSwitches(options, context));
  EDGEMOE_FAIL_IF_ERROR(AddVariables(options, context));
  return context;
}

}  // namespace edgemoe
