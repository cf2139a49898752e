// SPDX-License-Identifier: Apache-2.0
#include "engine/serving/chat/prompt.h"

#include <algorithm>
#include <ctime>
#include <nlohmann/json.hpp>
#include <utility>

#include "engine/base/accepted.h"
#include "engine/template/chat_template.h"

namespace edgemoe {
namespace {

using Json = nlohmann::ordered_json;

}  // namespace

struct ChatPrompt::Parsed {
  ChatTemplate chat_template;
  bool takes_tools;
  bool takes_tool_responses;
};

ChatPrompt::ChatPrompt(const GgufFile& metadata, const Tokenizer& tokenizer,
                       ChatPromptOptions options)
    : system_prompt_(std::move(options.system_prompt)) {
  constexpr std::string_view kKey = "tokenizer.chat_template";
  const auto name = [&tokenizer](std::optional<TokenId> token) {
    return token ? std::string(tokenizer.TokenBytes(*token)) : std::string();
  };
  bos_ = name(tokenizer.bos());
  eos_ = name(tokenizer.eos());
  if (!options.template_text && metadata.Find(kKey) == nullptr) {
    unusable_ = FailedPreconditionError("the model has no chat template (" + std::string(kKey) +
                                        "); complete a prompt instead");
    return;
  }
  const Result<std::string_view> source = options.template_text
                                              ? Result<std::string_view>(*options.template_text)
                                              : metadata.GetString(kKey);
  Result<ChatTemplate> parsed = source ? ChatTemplate::Parse(std::string(*source))
                                       : Result<ChatTemplate>(Failure(source.error()));
  if (parsed) {
    const std::string& text = parsed->source();
    format_ = FindAnswerFormat(text);
    const bool takes_tools = text.find("tools") != std::string::npos;
    const bool takes_tool_responses =
        format_.calls == CallSyntax::kGemma && text.find("tool_responses") != std::string::npos;
    parsed_ =
        std::make_unique<Parsed>(Parsed{*std::move(parsed), takes_tools, takes_tool_responses});
  } else {
    unusable_ = FailedPreconditionError("the model's chat template cannot be used: " +
                                        parsed.error().message());
  }
}

ChatPrompt::~ChatPrompt() = default;

Result<std::string> ChatPrompt::Render(std::span<const ChatMessage> messages,
                                       const ChatTemplateOptions& options) const {
  EDGEMOE_FAIL_IF_ERROR(unusable_);
  if (!options.tools.empty() && !parsed_->takes_tools) {
    return Failure(InvalidField("tools", ShowValue(options.tools.size()),
                                "none, as the model's chat template takes no tools"));
  }
  // Harmony's template refuses a call with both.
  TemplateReads reads{.one_of_thoughts_and_content = format_.channels,
                      .arguments_as_text = false,
                      .responses_beside_calls = parsed_->takes_tool_responses};
  Result<std::string> prompt = RenderAs(messages, options, reads);
  const bool has_calls = std::any_of(messages.begin(), messages.end(), [](const ChatMessage& one) {
    return !one.tool_calls.empty();
  });
  if (prompt || !has_calls) return prompt;
  // Templates that put a call's arguments together with texts fail on an object.
  reads.arguments_as_text = true;
  Result<std::string> other = RenderAs(messages, options, reads);
  return other ? other : prompt;
}

Result<std::string> ChatPrompt::RenderAs(std::span<const ChatMessage> messages,
                                         const ChatTemplateOptions& options,
                                         const TemplateReads& reads) const {
  EDGEMOE_ASSIGN_OR_FAIL(Json context, ChatContext(messages, system_prompt_, options, reads,
                                                   {{"bos_token", bos_}, {"eos_token", eos_}}));
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  ::localtime_r(&now, &local);
  return parsed_->chat_template.Render(context, {.now = local});
}

}  // namespace edgemoe
