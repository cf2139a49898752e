// SPDX-License-Identifier: Apache-2.0
//
// Reasoning and tool calls through the whole daemon, of models that write given texts
// (tests/support/models/scripted_model.h): calls of every family, and what goes wrong in them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/e2e/answers.h"
#include "tests/support/daemon_process.h"
#include "tests/support/models/random_model_file.h"
#include "tests/support/models/scripted_model.h"

namespace edgemoe {
namespace {

using nlohmann::json;
using testing::HasSubstr;

const std::string kTests = EDGEMOE_SOURCE_DIR "/tests/";
constexpr char kArguments[] = R"({"place": "Köln", "days": 2})";

std::string Read(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// What a chat gave: the parts of all chunks, calls by index.
struct Parts {
  client::Status status;
  std::string content, reasoning;
  std::vector<v1::ToolCall> finished_calls;
  std::vector<v1::NotParsed> not_parsed;
  v1::Finished finished;
};

Parts Ask(client::Client& client, const v1::ChatRequest& request) {
  Parts parts;
  std::map<std::uint32_t, v1::ToolCall> calls;
  client::ChatStream stream = client.Chat(request);
  for (v1::ChatResponse message; stream.Next(message);) {
    if (message.has_finished()) parts.finished = message.finished();
    const v1::Chunk& chunk = message.chunk();
    parts.content += chunk.text();
    parts.reasoning += chunk.reasoning();
    for (const v1::ToolCallDelta& delta : chunk.tool_calls()) {
      v1::ToolCall& call = calls[delta.index()];
      if (!delta.name().empty()) call.set_name(delta.name());
      if (!delta.id().empty()) call.set_id(delta.id());
      *call.mutable_arguments() += delta.arguments();
      if (delta.finished()) parts.finished_calls.push_back(call);
    }
    parts.not_parsed.insert(parts.not_parsed.end(), chunk.not_parsed().begin(),
                            chunk.not_parsed().end());
  }
  parts.status = stream.Finish();
  return parts;
}

v1::ChatRequest Question(const std::string& text) {
  v1::ChatRequest request;
  v1::ChatMessage& message = *request.add_messages();
  message.set_role("user");
  message.add_content()->set_text(text);
  v1::Tool& tool = *request.add_tools();
  tool.set_name("get_weather");
  tool.set_description("Tells the weather of a place.");
  tool.set_parameters(
      R"({"type": "object", "properties": {"place": {"type": "string"}, "days": {"type": "integer"}}})");
  return request;
}

// How a family writes a call, and one that is none.
struct Family {
  std::string name;    // of its template: tests/engine/serving/chat/families
  std::string call;    // with kArguments
  std::string broken;  // its call without a tool's arguments
};

const std::vector<Family>& Families() {
  const std::string section = "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>";
  const std::string section_end = "<｜tool▁call▁end｜><｜tool▁calls▁end｜>";
  const std::string kimi = "<|tool_calls_section_begin|><|tool_call_begin|>functions.";
  const std::string kimi_end = "<|tool_call_end|><|tool_calls_section_end|>";
  const std::string channel = "<|channel|>commentary to=functions.get_weather<|message|>";
  const auto tagged = [](const std::string& dsml, const std::string& text,
                         const std::string& number, const std::string& tail) {
    return "<" + dsml + "invoke name=\"get_weather\">\n" + tail + "<" + dsml +
           "parameter name=\"place\"" + text + ">Köln</" + dsml + "parameter>\n<" + dsml +
           "parameter name=\"days\"" + number + ">2</" + dsml + "parameter>\n</" + dsml +
           "invoke>\n";
  };
  const auto dsml = [&tagged](const std::string& section_name, const std::string& tail) {
    return "<｜DSML｜" + section_name + ">\n" +
           tagged("｜DSML｜", " string=\"true\"", " string=\"false\"", tail) + "</｜DSML｜" +
           section_name + ">";
  };
  const auto minimax = [&tagged](const std::string& tail) {
    return "<minimax:tool_call>\n" + tagged("", "", "", tail) + "</minimax:tool_call>";
  };
  const std::string json_call =
      R"({"name": "get_weather", "arguments": )" + std::string(kArguments) + "}";
  static const std::vector<Family> all = {
      {"hermes", "<tool_call>\n" + json_call + "\n</tool_call>",
       "<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"place\": Köln}}\n</tool_call>"},
      {"qwen_coder",
       "<tool_call>\n<function=get_weather>\n<parameter=place>\nKöln\n</parameter>\n"
       "<parameter=days>\n2\n</parameter>\n</function>\n</tool_call>",
       "<tool_call>\n<function=get_weather>\nKöln\n</function>\n</tool_call>"},
      {"harmony", channel + kArguments, channel + "Köln"},
      {"gemma", "<|tool_call>call:get_weather{place:<|\"|>Köln<|\"|>,days:2}<tool_call|>",
       "<|tool_call>call:get_weather{place:Köln}<tool_call|>"},
      {"function_gemma",
       "<start_function_call>call:get_weather{place:<escape>Köln<escape>,days:2}"
       "<end_function_call>",
       "<start_function_call>call:get_weather{place:Köln}<end_function_call>"},
      {"glm",
       "<tool_call>get_weather\n<arg_key>place</arg_key>\n<arg_value>Köln</arg_value>\n"
       "<arg_key>days</arg_key>\n<arg_value>2</arg_value>\n</tool_call>",
       "<tool_call>get_weather\n<arg_key>place</arg_key>\nKöln\n</tool_call>"},
      {"lfm2", "<|tool_call_start|>[get_weather(place='Köln', days=2)]<|tool_call_end|>",
       "<|tool_call_start|>[get_weather(place=Köln)]<|tool_call_end|>"},
      {"llama", R"({"name": "get_weather", "parameters": )" + std::string(kArguments) + "}",
       R"({"name": "get_weather", "parameters": {"place": Köln}})"},
      {"mistral", "[TOOL_CALLS]get_weather[ARGS]" + std::string(kArguments),
       "[TOOL_CALLS]get_weather[ARGS]{Köln}"},
      {"mistral_list", "[TOOL_CALLS][" + json_call + "]", "[TOOL_CALLS][get_weather]"},
      {"deepseek", section + "get_weather<｜tool▁sep｜>" + kArguments + section_end,
       section + "get_weather<｜tool▁sep｜>{Köln}" + section_end},
      {"deepseek_block",
       section + "function<｜tool▁sep｜>get_weather\n```json\n" + kArguments + "\n```" +
           section_end,
       section + "function<｜tool▁sep｜>get_weather\n```json\nKöln\n```" + section_end},
      {"dsml_function_calls", dsml("function_calls", ""), dsml("function_calls", "Köln")},
      {"dsml_tool_calls", dsml("tool_calls", ""), dsml("tool_calls", "Köln")},
      {"minimax", minimax(""), minimax("Köln")},
      {"kimi", kimi + "get_weather:0<|tool_call_argument_begin|>" + kArguments + kimi_end,
       kimi + "get_weather:0<|tool_call_argument_begin|>Köln" + kimi_end},
  };
  return all;
}

class E2eToolsTest : public testing::Test {
 protected:
  // A daemon with a model that writes `scripts` behind `template_text`'s prompts.
  std::unique_ptr<DaemonProcess> Serve(const std::string& template_text,
                                       const std::vector<Script>& scripts) {
    const std::string model = folder_ / "scripted.gguf";
    const Status written = WriteRandomModel(model, ScriptedModel(template_text, scripts));
    EXPECT_TRUE(written.ok()) << written.ToString();
    auto daemon = std::make_unique<DaemonProcess>(
        folder_ / "d.sock", std::vector<std::string>{"--model", model, "--temperature", "0"});
    EXPECT_TRUE(daemon->WaitReady()) << daemon->log();
    return daemon;
  }

  // That of the terminal's session: tests/e2e/scripted.
  std::unique_ptr<DaemonProcess> ServeScripted() {
    std::vector<Script> scripts;
    for (const json& entry : json::parse(Read(kTests + "e2e/scripted/scripts.json")))
      scripts.push_back({.name = entry["name"],
                         .text = entry.value("text", ""),
                         .repeated = entry.value("repeated", ""),
                         .after_line = entry.value("after_line", false)});
    return Serve(Read(kTests + "e2e/scripted/chat.jinja"), scripts);
  }

  struct Outcome {
    std::optional<int> code;
    std::string output, errors;
  };
  static Outcome Chat(const DaemonProcess& daemon, std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {EDGEMOE_PROGRAM, "--socket", daemon.socket(), "chat"});
    ChildProcess process(arguments);
    const auto code = process.Wait();
    return {code, process.output(), process.errors()};
  }

  const TempFolder folder_;
};

// A whole call, one with arguments that are none, one that max_tokens cuts off, and one that a code
// block shows.
void CheckFamily(client::Client& client, const Family& family) {
  const Parts whole = Ask(client, Question("whole"));
  ASSERT_TRUE(whole.status.ok()) << whole.status.ToString();
  ASSERT_EQ(whole.finished_calls.size(), 1U) << whole.content;
  EXPECT_EQ(whole.finished_calls[0].name(), "get_weather");
  EXPECT_FALSE(whole.finished_calls[0].id().empty());
  EXPECT_EQ(json::parse(whole.finished_calls[0].arguments()), json::parse(kArguments));
  EXPECT_EQ(whole.content, "");
  EXPECT_TRUE(whole.not_parsed.empty());
  EXPECT_EQ(whole.finished.reason(), v1::FINISH_REASON_TOOL_CALLS);

  const Parts broken = Ask(client, Question("broken"));
  EXPECT_TRUE(broken.finished_calls.empty());
  ASSERT_EQ(broken.not_parsed.size(), 1U) << broken.content;
  EXPECT_NE(broken.not_parsed[0].reason(), "");
  // Harmony's header belongs to no text.
  const bool has_header = family.broken.starts_with("<|channel|>");
  EXPECT_EQ(broken.content, has_header ? "Köln" : family.broken);
  EXPECT_EQ(broken.finished.reason(), v1::FINISH_REASON_STOP_TOKEN);

  v1::ChatRequest short_question = Question("whole");
  const auto tokens = static_cast<std::uint32_t>(family.call.find("Köln") / 6);
  short_question.mutable_stopping()->set_max_tokens(tokens);
  const Parts cut = Ask(client, short_question);
  EXPECT_TRUE(cut.finished_calls.empty());
  ASSERT_EQ(cut.not_parsed.size(), 1U) << cut.content;
  EXPECT_THAT(cut.not_parsed[0].reason(), HasSubstr("cut"));
  EXPECT_EQ(cut.finished.reason(), v1::FINISH_REASON_MAX_TOKENS);

  const Parts code = Ask(client, Question("code"));
  EXPECT_TRUE(code.finished_calls.empty());
  EXPECT_TRUE(code.not_parsed.empty());
  EXPECT_EQ(code.content, "So:\n```\n" + family.call + "\n```\nThat is all.");
}

TEST_F(E2eToolsTest, CallsOfEveryFamilyAreTypedAndWhatIsNoneStaysText) {
  for (const Family& family : Families()) {
    SCOPED_TRACE(family.name);
    const auto daemon =
        Serve(Read(kTests + "engine/serving/chat/families/" + family.name + ".jinja") +
                  "{{ '<|script:' + messages[-1].content + '|>' }}",
              {{.name = "whole", .text = family.call},
               {.name = "broken", .text = family.broken},
               {.name = "code", .text = "So:\n```\n" + family.call + "\n```\nThat is all."}});
    client::Client client = daemon->Connect();
    CheckFamily(client, family);
  }
}

TEST_F(E2eToolsTest, AProgramAnswersACallAndTheModelGoesOn) {
  const auto daemon = ServeScripted();
  const Outcome chat = Chat(*daemon, {"--tools", kTests + "e2e/scripted/tools.json", "--yes",
                                      "How is the weather in Köln?"});
  EXPECT_EQ(chat.code, 0) << chat.errors;
  EXPECT_THAT(chat.errors, HasSubstr("[calls get_weather {\"place\": \"Köln\", \"days\": 2}]"));
  EXPECT_EQ(chat.output, "I look.\nIn Köln it stays clear for two days, up to 21 degrees.\n")
      << "reasoning is for terminals";
}

TEST_F(E2eToolsTest, ArgumentsThatAreNoJsonAreShownAsTheyAre) {
  const auto daemon = ServeScripted();
  const Outcome chat =
      Chat(*daemon, {"--tools", kTests + "e2e/scripted/tools.json", "--yes", "broken"});
  EXPECT_EQ(chat.code, 0) << chat.errors;
  EXPECT_THAT(chat.errors, HasSubstr("[no call: a call that is not JSON]"));
  EXPECT_EQ(chat.errors.find("[calls"), std::string::npos) << chat.errors;
  EXPECT_THAT(chat.output, HasSubstr("\"arguments\": {\"place\": Köln}}\n</tool_call>\n"));
}

TEST_F(E2eToolsTest, ReasoningWithoutAnEndIsClosedAtItsLimit) {
  const auto daemon = ServeScripted();
  client::Client client = daemon->Connect();
  v1::ChatRequest request = Question("endless");
  request.mutable_stopping()->set_max_tokens(100);
  const Parts endless = Ask(client, request);
  EXPECT_EQ(endless.content, "");
  EXPECT_EQ(endless.finished.reason(), v1::FINISH_REASON_MAX_TOKENS);
  EXPECT_GT(endless.finished.usage().reasoning_tokens(), 90U);
  request.mutable_reasoning()->set_max_tokens(20);
  const Parts limited = Ask(client, request);
  EXPECT_EQ(limited.content, "I have thought for long enough: it is clear.");
  EXPECT_TRUE(limited.reasoning.starts_with("First this, and then that, and then"));
  EXPECT_EQ(limited.reasoning.find('<'), std::string::npos) << limited.reasoning;
  EXPECT_EQ(limited.finished.reason(), v1::FINISH_REASON_STOP_TOKEN);
  EXPECT_LT(limited.finished.usage().reasoning_tokens(), 40U);

  const Outcome chat = Chat(*daemon, {"--reasoning-limit", "20", "endless"});
  EXPECT_EQ(chat.code, 0) << chat.errors;
  EXPECT_THAT(chat.output, HasSubstr("I have thought for long enough: it is clear.\n"));
}

TEST_F(E2eToolsTest, ASchemaOfAMegabyteIsRefusedForWhatItIs) {
  const auto daemon = ServeScripted();
  client::Client client = daemon->Connect();
  v1::ChatRequest request = Question("Hi");
  const auto schema = [](std::size_t bytes) {
    const std::string begin = R"({"type": "object", "description": ")";
    return begin + std::string(bytes - begin.size() - 2, 'x') + "\"}";
  };
  request.mutable_tools(0)->set_parameters(schema(1 << 20));
  const Parts longest = Ask(client, request);
  EXPECT_EQ(longest.status.reason, "CONTEXT_EXCEEDED") << longest.status.ToString();
  request.mutable_tools(0)->set_parameters(schema((1 << 20) + 1));
  const Parts longer = Ask(client, request);
  EXPECT_EQ(longer.status.code, client::StatusCode::kInvalidArgument);
  EXPECT_EQ(longer.status.field, "tools[0].parameters");
  EXPECT_THAT(longer.status.message, HasSubstr("1048577"));
  request.mutable_tools(0)->set_parameters("{\"type\": object}");
  EXPECT_EQ(Ask(client, request).status.field, "tools[0].parameters");
  // Nothing of this has harmed the daemon.
  EXPECT_EQ(Ask(client, Question("Hi")).finished.reason(), v1::FINISH_REASON_TOOL_CALLS);
}

// Lines of JSON have the parts of an answer that there are.
TEST_F(E2eToolsTest, JsonLinesHaveNoEmptyParts) {
  const auto daemon = ServeScripted();
  const Outcome chat = Chat(*daemon, {"--json", "Hi"});
  ASSERT_EQ(chat.code, 0) << chat.output;
  std::istringstream stream(chat.output);
  bool reasons = false;
  bool has_text = false;
  for (std::string line; std::getline(stream, line);) {
    const json message = json::parse(line);
    if (!message.contains("chunk")) continue;
    const json& chunk = message["chunk"];
    EXPECT_TRUE(chunk.contains("text")) << line;
    for (const char* const part : {"reasoning", "toolCalls", "notParsed", "logprobs"})
      EXPECT_FALSE(chunk.contains(part) && chunk[part].empty()) << line;
    EXPECT_FALSE(chunk.contains("reasoning") && chunk["reasoning"] == "") << line;
    reasons = reasons || chunk.contains("reasoning");
    has_text = has_text || chunk["text"] != "";
  }
  EXPECT_TRUE(reasons);
  EXPECT_TRUE(has_text);
}

}  // namespace
}  // namespace edgemoe
