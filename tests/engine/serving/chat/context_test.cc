// SPDX-License-Identifier: Apache-2.0
#include "engine/serving/chat/context.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace edgemoe {
namespace {

using Json = nlohmann::ordered_json;

std::vector<ChatMessage> ToolMessages() {
  return {{.role = "user", .content = "Hi"},
          {.role = "assistant",
           .content = "I look.",
           .reasoning = "Hm",
           .tool_calls = {{.id = "c1", .name = "look", .arguments = R"({"b": 1, "a": [2]})"},
                          {.id = "", .name = "go", .arguments = ""}}},
          {.role = "tool", .content = "5", .tool_call_id = "c1", .tool_name = "look"}};
}

Json Context(std::span<const ChatMessage> messages, const ChatTemplateOptions& options = {},
             const TemplateReads& reads = {}) {
  auto context = ChatContext(messages, "", options, reads, Json::object());
  EXPECT_TRUE(context) << context.error().message();
  return context ? *context : Json();
}

Status Refused(std::span<const ChatMessage> messages, const ChatTemplateOptions& options = {}) {
  const auto context = ChatContext(messages, "", options, {}, Json::object());
  return context ? OkStatus() : context.error();
}

TEST(ChatContext, HasMessagesAsTransformersGivesThem) {
  const Json context = Context(ToolMessages());
  EXPECT_EQ(context.dump(), Json::parse(R"json({"messages": [
      {"role": "user", "content": "Hi"},
      {"role": "assistant", "content": "I look.", "reasoning_content": "Hm",
       "thinking": "Hm", "reasoning": "Hm", "tool_calls": [
        {"type": "function", "function": {"name": "look", "arguments": {"b": 1, "a": [2]}},
         "id": "c1"},
        {"type": "function", "function": {"name": "go", "arguments": {}}}]},
      {"role": "tool", "content": "5", "tool_call_id": "c1", "name": "look"}],
      "add_generation_prompt": true})json")
                                .dump());
}

TEST(ChatContext, FollowsWhatTheTemplateReads) {
  const Json context =
      Context(ToolMessages(), {}, {.one_of_thoughts_and_content = true, .arguments_as_text = true});
  const Json& answer = context["messages"][1];
  EXPECT_EQ(answer["content"], "");
  EXPECT_EQ(answer["tool_calls"][0]["function"]["arguments"], R"({"b": 1, "a": [2]})");
  EXPECT_EQ(answer["tool_calls"][1]["function"]["arguments"], "{}");
}

TEST(ChatContext, PutsResponsesBesideCallsWhereTheTemplateReadsThemThere) {
  std::vector<ChatMessage> messages = ToolMessages();
  messages.push_back({.role = "tool", .content = R"({"left": 3})"});
  messages.push_back({.role = "user", .content = "And?"});
  messages.push_back({.role = "tool", .content = "of no call"});
  const Json list = Context(messages, {}, {.responses_beside_calls = true})["messages"];
  ASSERT_EQ(list.size(), 4U);
  EXPECT_EQ(list[1]["tool_responses"], Json::parse(R"([{"name": "look", "response": "5"},
                            {"name": "go", "response": {"left": 3}}])"));
  EXPECT_EQ(list[2]["content"], "And?");
  EXPECT_EQ(list[3]["role"], "tool");
  messages[2].tool_name.clear();
  EXPECT_EQ(Context(messages, {},
                    {.responses_beside_calls = true})["messages"][1]["tool_responses"][0]["name"],
            "look");
}

TEST(ChatContext, HasASystemPromptWhereTheConversationHasNone) {
  std::vector<ChatMessage> messages = {{.role = "user", .content = "Hi"}};
  const auto first = [&messages] {
    return ChatContext(messages, "Be kind.", {}, {}, Json::object()).value()["messages"][0];
  };
  EXPECT_EQ(first(), Json({{"role", "system"}, {"content", "Be kind."}}));
  messages.push_back({.role = "system", .content = "Be brief."});
  EXPECT_EQ(first()["role"], "user");
}

TEST(ChatContext, HasToolsAndSwitches) {
  ChatTemplateOptions options;
  options.tools = {{.name = "look", .description = "Looks.", .parameters = R"({"type": "object"})"},
                   {.name = "go", .description = "", .parameters = ""}};
  options.thinks = false;
  options.reasoning_effort = "high";
  const Json context = Context(ToolMessages(), options);
  EXPECT_EQ(context["tools"].dump(), Json::parse(R"json([
      {"type": "function", "function": {"name": "look", "description": "Looks.",
                                        "parameters": {"type": "object"}}},
      {"type": "function", "function": {"name": "go", "description": "",
                                        "parameters": {"type": "object", "properties": {}}}}])json")
                                         .dump());
  EXPECT_EQ(context["enable_thinking"], false);
  EXPECT_EQ(context["thinking"], false);
  EXPECT_EQ(context["reasoning_effort"], "high");
  options.variables = {{"enable_thinking", "true"}};
  EXPECT_EQ(Refused(ToolMessages(), options).field(), "template_variables.enable_thinking");
}

TEST(ChatContext, RefusesWhatIsWrongByItsField) {
  std::vector<ChatMessage> messages = ToolMessages();
  messages[1].tool_calls[1].arguments = "[1]";
  EXPECT_EQ(Refused(messages).message(),
            "messages[1].tool_calls[1].arguments: found \"[1]\"; accepted: a JSON object");
  messages[1].tool_calls[1] = {.id = "", .name = "", .arguments = ""};
  EXPECT_EQ(Refused(messages).field(), "messages[1].tool_calls[1].name");
  messages = ToolMessages();
  messages[1].reasoning = "\xff";
  EXPECT_EQ(Refused(messages).field(), "messages[1].reasoning");

  ChatTemplateOptions options;
  options.tools = {{.name = "f", .description = "", .parameters = "{"}};
  EXPECT_EQ(Refused(ToolMessages(), options).field(), "tools[0].parameters");
  options.tools[0].parameters =
      "{\"description\": \"" + std::string(kToolParametersBytesMax, 'a') + "\"}";
  EXPECT_EQ(Refused(ToolMessages(), options).message(),
            "tools[0].parameters: found 1048595 bytes; accepted: at most 1048576");
  options.tools[0].parameters.clear();
  options.tools.resize(kToolsMax + 1, options.tools[0]);
  EXPECT_EQ(Refused(ToolMessages(), options).message(), "tools: found 129; accepted: [0, 128]");
  options.tools.clear();
  options.reasoning_effort = std::string(65, 'x');
  EXPECT_EQ(Refused(ToolMessages(), options).field(), "reasoning.effort");
}

}  // namespace
}  // namespace edgemoe
