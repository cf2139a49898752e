// SPDX-License-Identifier: Apache-2.0
//
// What a chat template writes of an answer with reasoning, content and calls, read back by the
// parser that the template selects: the same parts. Templates of our own, one for each form of
// calls (families/), and public models' (PublicTemplatePath), whose text is not ours. Prints a
// table.
//
// written_answers.json: what differs, by template.
//   leaves_out  parts that the template does not write
//   calls       how many calls it writes, or the calls that it writes in place of those given
//   gives       how many calls it is given: it refuses more
//   content     the content that it writes in place of the one given
//   prompt_end  behind this an answer begins, where it is not written as it is asked for
//   end         a further text at which it ends
//   unread      calls are written in a form that no parser here reads: its beginning
//   refuses     the template cannot write this answer
//   why         for the table
#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/answer/answer_parser.h"
#include "engine/gguf/gguf_reader.h"
#include "engine/load/model_parts.h"
#include "engine/serving/chat/prompt.h"
#include "tests/engine/template/golden.h"
#include "tests/support/models/tiny_model.h"

namespace edgemoe {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

const std::string kFolder = EDGEMOE_SOURCE_DIR "/tests/engine/serving/chat/";

// Tokens at which models stop: an answer ends before the first of them.
constexpr std::array<std::string_view, 16> kEnds = {"<|im_end|>",
                                                    "<|eot_id|>",
                                                    "<|eom_id|>",
                                                    "</s>",
                                                    "<turn|>",
                                                    "<end_of_turn>",
                                                    "<|call|>",
                                                    "<｜end▁of▁sentence｜>",
                                                    "[e~[",
                                                    "<|user|>",
                                                    "<|observation|>",
                                                    "<|end_of_text|>",
                                                    "<|endoftext|>",
                                                    "<[end▁of▁sentence]>",
                                                    "<|tool_response>",
                                                    "<|return|>"};

const std::vector<ToolDefinition> kTools = {
    {.name = "place_order",
     .description = "Orders what is listed.",
     .parameters = R"({"type": "object", "properties": {
         "items": {"type": "array", "items": {"type": "object", "properties": {
             "name": {"type": "string"}, "count": {"type": "integer"}}}},
         "express": {"type": "boolean"}, "note": {"type": "string"},
         "address": {"type": "object", "properties": {"street": {"type": "string"}}}},
         "required": ["items"]})"},
    {.name = "get_weather",
     .description = "Tells the weather.",
     .parameters = R"({"type": "object", "properties": {"place": {"type": "string"},
         "days": {"type": "integer"}, "lowest": {"type": "number"},
         "detailed": {"type": "boolean"}}, "required": ["place"]})"}};

ChatMessage AnswerMessage() {
  return {
      .role = "assistant",
      .content = "Ich schaue nach.\n\nEinen Moment – 少々お待ちください.",
      .reasoning = "Two ways:\n\n1. order, \"as is\"\n2. look – später.",
      .tool_calls = {
          {.id = "callA0001",
           .name = "place_order",
           .arguments = R"({"items": [{"name": "Schirm \"Köln\"", "count": 2}, {"name": "傘",)"
                        R"( "count": 1}], "express": false, "note": "one\n  two: \"3\" \\ é",)"
                        R"( "address": {"street": "Rue d'Été 5", "lines": [], "floor": null}})"},
          {.id = "callA0002",
           .name = "get_weather",
           .arguments = R"({"place": "12", "days": -3, "lowest": 1.5, "detailed": true})"}}};
}

struct Written {
  std::string prompt;
  std::string answer;
};

// What of a rendering is the answer.
Result<Written> WriteAnswer(const ChatPrompt& chat, const Json& entry) {
  std::vector<ChatMessage> messages = {{.role = "user", .content = "Order two, then look."}};
  ChatTemplateOptions options;
  options.tools = kTools;
  options.thinks = true;
  Result<std::string> asks = chat.Render(messages, options);
  if (!asks && asks.error().field() == "tools") {  // the template takes none
    options.tools.clear();
    asks = chat.Render(messages, options);
  }
  if (!asks) return Failure(asks.error());
  ChatMessage message = AnswerMessage();
  message.tool_calls.resize(std::min<std::size_t>(entry.value("gives", 2U), 2));
  messages.push_back(std::move(message));
  options.add_generation_prompt = false;
  EDGEMOE_ASSIGN_OR_FAIL(const std::string whole, chat.Render(messages, options));
  std::size_t begin = asks->size();
  if (const std::string prompt_end = entry.value("prompt_end", ""); !prompt_end.empty()) {
    begin = whole.rfind(prompt_end);
    if (begin == std::string::npos) return Failure(InternalError("no " + prompt_end));
    begin += prompt_end.size();
  } else if (!whole.starts_with(*asks)) {
    return Failure(InternalError("the answer does not follow its prompt: " + whole));
  }
  std::size_t end = whole.size();
  for (const std::string_view mark : kEnds) end = std::min(end, whole.find(mark, begin));
  if (entry.contains("end")) end = std::min(end, whole.find(entry.value("end", ""), begin));
  return Written{.prompt = whole.substr(0, begin), .answer = whole.substr(begin, end - begin)};
}

// The parts that were read, as written_answers.json names them.
Json ReadAnswer(const AnswerFormat& format, const Written& written) {
  std::vector<AnswerTool> tools;
  for (const ToolDefinition& tool : kTools)
    tools.push_back(DescribeAnswerTool(tool.name, tool.parameters));
  AnswerParser parser(format, tools, written.prompt);
  std::vector<AnswerEvent> events;
  parser.Push(written.answer, events);
  parser.Finish(events);
  Json parts = {{"reasoning", ""}, {"content", ""}, {"calls", Json::array()}};
  std::string arguments;
  for (const AnswerEvent& event : events) {
    const auto add = [&event](Json& text) { text = text.get<std::string>() + event.text; };
    switch (event.kind) {
      case AnswerEvent::Kind::kReasoning: add(parts["reasoning"]); break;
      case AnswerEvent::Kind::kContent: add(parts["content"]); break;
      case AnswerEvent::Kind::kArguments: arguments += event.text; break;
      case AnswerEvent::Kind::kCallBegun:
        arguments.clear();
        parts["calls"].push_back({{"name", event.call_name}});
        break;
      case AnswerEvent::Kind::kCallEnded:
        parts["calls"].back()["arguments"] = Json::parse(arguments, nullptr, false);
        break;
      case AnswerEvent::Kind::kNotParsed: parts["not_parsed"] = event.text; break;
    }
  }
  return parts;
}

// What has to be read.
Json ExpectedParts(const Json& entry) {
  const ChatMessage message = AnswerMessage();
  Json parts = {{"reasoning", message.reasoning}, {"content", message.content}};
  Json calls = Json::array();
  for (const ToolCall& call : message.tool_calls)
    calls.push_back({{"name", call.name}, {"arguments", Json::parse(call.arguments)}});
  const Json written = entry.value("calls", entry.value("gives", Json(calls.size())));
  if (written.is_array()) calls = written;
  while (written.is_number() && calls.size() > written.get<std::size_t>())
    calls.erase(calls.size() - 1);
  parts["calls"] = std::move(calls);
  for (const auto& part : entry.value("leaves_out", Json::array()))
    parts[part.get<std::string>()] = "";
  if (entry.contains("content")) parts["content"] = entry["content"];
  return parts;
}

class WrittenAnswersTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::vector<std::byte> model = TinyModelBytes({});
    auto metadata = ParseGguf(model, model.size());
    ASSERT_TRUE(metadata) << metadata.error().message();
    metadata_ = *std::move(metadata);
    auto tokenizer = OpenTokenizer(metadata_);
    ASSERT_TRUE(tokenizer) << tokenizer.error().message();
    tokenizer_ = *std::move(tokenizer);
  }

  // Of one template: whether what it writes is read back; a line of the table.
  void Check(const std::string& path, const Json& entry) {
    const std::string name = fs::path(path).filename().string();
    SCOPED_TRACE(name);
    const ChatPrompt chat(metadata_, *tokenizer_,
                          {.system_prompt = {}, .template_text = ReadFile(path)});
    const auto written = WriteAnswer(chat, entry);
    std::string outcome;
    if (entry.contains("refuses")) {
      ASSERT_FALSE(written) << written->answer;
      EXPECT_EQ(written.error().code(), StatusCode::kInvalidArgument);
      outcome = "refused: " + written.error().message();
    } else {
      ASSERT_TRUE(written) << written.error().message();
      const Json read = ReadAnswer(chat.format(), *written);
      if (entry.contains("unread")) {
        EXPECT_EQ(read["calls"].size(), 0U) << written->answer;
        outcome = "calls are text: " + entry["unread"].get<std::string>();
      } else {
        // As values: templates sort the members of objects, or do not.
        EXPECT_EQ(nlohmann::json::parse(read.dump()),
                  nlohmann::json::parse(ExpectedParts(entry).dump()))
            << written->prompt << "\n----\n"
            << written->answer;
        outcome = "read back: " + std::to_string(read["calls"].size()) + " calls";
        for (const char* const part : {"content", "reasoning"})
          if (read[part] != "") outcome += std::string(", ") + part;
      }
    }
    if (entry.contains("why")) outcome += "; " + entry["why"].get<std::string>();
    std::cout << std::left << std::setw(56) << name << outcome << "\n";
  }

  const Json exceptions_ = Json::parse(ReadFile(kFolder + "written_answers.json"));
  GgufFile metadata_;
  std::unique_ptr<Tokenizer> tokenizer_;
};

TEST_F(WrittenAnswersTest, OfOurOwnTemplatesAreReadBack) {
  std::size_t count = 0;
  for (const auto& file : fs::directory_iterator(kFolder + "families")) {
    ++count;
    Check(file.path(),
          exceptions_["families"].value(file.path().filename().string(), Json::object()));
  }
  EXPECT_GE(count, 16U);
}

TEST_F(WrittenAnswersTest, OfPublicTemplatesAreReadBack) {
  if (!fs::exists(PublicTemplatePath(""))) {
    GTEST_SKIP() << "SKIPPED: no " << PublicTemplatePath("") << ", whose texts are not ours";
  }
  for (const Json& one : ReadRecording("public/templates.json")) {
    const std::string name = one["name"].get<std::string>();
    Check(PublicTemplatePath(name), exceptions_["public"].value(name, Json::object()));
  }
}

}  // namespace
}  // namespace edgemoe
