// SPDX-License-Identifier: Apache-2.0
//
// Answers in parts, of a model: what its template marks, and the limit of its reasoning.
#include <gtest/gtest.h>

#include "engine/engine.h"
#include "tests/engine/serving/listener.h"
#include "tests/support/child_process.h"
#include "tests/support/models/tiny_model.h"

namespace edgemoe {
namespace {

constexpr char kThinkingTemplate[] =
    "{%- if tools -%}{{ tools | tojson }}<tool_call>{%- endif -%}"
    "{%- for message in messages -%}"
    "{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}"
    "{%- for call in message.tool_calls or [] -%}"
    "{{ '<tool_call>' + call.function.arguments + '</tool_call>' }}"
    "{%- endfor -%}"
    "{%- endfor -%}"
    "{{ '<|im_start|>assistant\\n<think>\\n' }}";

class AnswerSplitTest : public ::testing::Test {
 protected:
  std::unique_ptr<Engine> Open(const char* template_text) {
    options_.model_path = folder_.path() + "/tiny.gguf";
    options_.context_tokens = 256;
    options_.io_backend = "pread";
    TinyModelOptions model;
    model.template_text = template_text;
    EXPECT_TRUE(WriteTinyModel(options_.model_path, model).ok());
    auto engine = Engine::Open(options_);
    EXPECT_TRUE(engine) << engine.error().message();
    return engine ? *std::move(engine) : nullptr;
  }

  TempFolder folder_;
  EngineOptions options_;
};

const std::vector<ChatMessage> kMessages = {{.role = "user", .content = "Hi"}};

ChatTemplateOptions WithTool() {
  ChatTemplateOptions options;
  options.tools = {{.name = "f", .description = "", .parameters = ""}};
  return options;
}

struct Said {
  std::string reasoning, content;
  FinishedEvent finished;
};

Said Ask(Engine& engine, std::optional<std::uint32_t> reasoning_tokens_max) {
  GenerateRequest request;
  request.prompt = *engine.ApplyTemplate(kMessages, {});
  request.sampling.temperature = 0;
  // The tiny model likes to repeat the prompt's line break, which belongs to the mark.
  request.sampling.logit_bias = {{.token = TokenId{'\n'}, .bias = -1000}};
  request.stop.max_tokens = 60;
  request.stop.ignore_end_of_generation = true;
  request.answer = AnswerOptions{.tools = {}, .reasoning_tokens_max = reasoning_tokens_max};
  const Answer answer = Submit(engine, std::move(request))->Wait();
  EXPECT_EQ(answer.text, "");
  Said result;
  for (const AnswerEvent& part : answer.parts) {
    if (part.kind == AnswerEvent::Kind::kReasoning) result.reasoning += part.text;
    if (part.kind == AnswerEvent::Kind::kContent) result.content += part.text;
  }
  result.finished = answer.finished.at(0);
  return result;
}

TEST_F(AnswerSplitTest, ReasoningThatThePromptOpensIsClosedAtItsLimit) {
  const auto engine = Open(kThinkingTemplate);
  ASSERT_NE(engine, nullptr);
  const Said endless = Ask(*engine, std::nullopt);
  EXPECT_NE(endless.reasoning, "");
  EXPECT_EQ(endless.content, "");
  EXPECT_EQ(endless.finished.reasoning_tokens, 60U);
  const Said limited = Ask(*engine, 10);
  EXPECT_NE(limited.content, "");
  // The tiny vocabulary writes "\n</think>" with seven tokens, "th" and "in" among them.
  EXPECT_EQ(limited.finished.reasoning_tokens, 10U + 7U);
  EXPECT_EQ(limited.finished.completion_tokens, 60U);
  EXPECT_TRUE(endless.reasoning.starts_with(limited.reasoning));
  EXPECT_EQ(limited.reasoning.find("</think"), std::string::npos);
}

TEST_F(AnswerSplitTest, CallsArgumentsAreGivenAsTheTemplateTakesThem) {
  const auto engine = Open(kThinkingTemplate);
  ASSERT_NE(engine, nullptr);
  const std::vector<ChatMessage> messages = {
      {.role = "assistant", .content = "", .tool_calls = {{"", "f", R"({"a": 1})"}}}};
  const auto prompt = engine->ApplyTemplate(messages, WithTool());
  ASSERT_TRUE(prompt) << prompt.error().message();
  EXPECT_NE(prompt->find(R"(<tool_call>{"a": 1}</tool_call>)"), std::string::npos) << *prompt;
}

TEST_F(AnswerSplitTest, ATemplateWithoutToolsRefusesThem) {
  const auto engine = Open("{{ messages[0].content }}");
  ASSERT_NE(engine, nullptr);
  const auto prompt = engine->ApplyTemplate(kMessages, WithTool());
  ASSERT_FALSE(prompt);
  EXPECT_EQ(prompt.error().field(), "tools");
  // Nor has an answer parts.
  GenerateRequest request;
  request.prompt = "Hi";
  request.stop.max_tokens = 3;
  request.answer.emplace();
  EXPECT_TRUE(Submit(*engine, std::move(request))->Wait().parts.empty());
}

}  // namespace
}  // namespace edgemoe
