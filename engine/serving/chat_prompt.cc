// SPDX-License-Identifier: Apache-2.0
#include "engine/serving/chat_prompt.h"

#include <algorithm>
#include <ctime>
#include <nlohmann/json.hpp>
#include <utility>

#include "engine/base/accepted.h"
#include "engine/base/utf8.h"
#include "engine/template/chat_template.h"

namespace edgemoe {
namespace {

using Json = nlohmann::ordered_json;

Status CheckUtf8(const std::string& field, std::string_view text) {
  const std::size_t invalid = FindInvalidUtf8(text);
  if (invalid == std::string_view::npos) return OkStatus();
  return NotUtf8Field(field, invalid);
}

Status AddMessages(std::span<const ChatMessage> messages, const std::string& system_prompt,
                   Json& context) {
  if (messages.empty() || messages.size() > kChatMessagesMax) {
    return InvalidField("messages", ShowValue(messages.size()), AcceptedRange(1, kChatMessagesMax));
  }
  Json list = Json::array();
  if (!system_prompt.empty() &&
      std::ranges::find(messages, "system", &ChatMessage::role) == messages.end())
    list.push_back({{"role", "system"}, {"content", system_prompt}});
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const std::string field = "messages[" + std::to_string(i) + "]";
    const ChatMessage& message = messages[i];
    if (message.role.empty()) {
      return InvalidField(field + ".role", ShowValue(""),
                          "\"system\", \"user\", \"assistant\", \"tool\"");
    }
    EDGEMOE_RETURN_IF_ERROR(CheckUtf8(field + ".role", message.role));
    EDGEMOE_RETURN_IF_ERROR(CheckUtf8(field + ".content", message.content));
    list.push_back({{"role", message.role}, {"content", message.content}});
  }
  context["messages"] = std::move(list);
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

struct ChatPrompt::Parsed {
  ChatTemplate chat_template;
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
    parsed_ = std::make_unique<Parsed>(Parsed{*std::move(parsed)});
  } else {
    unusable_ = FailedPreconditionError("the model's chat template cannot be used: " +
                                        parsed.error().message());
  }
}

ChatPrompt::~ChatPrompt() = default;

Result<std::string> ChatPrompt::Render(std::span<const ChatMessage> messages,
                                       const ChatTemplateOptions& options) const {
  EDGEMOE_FAIL_IF_ERROR(unusable_);
  Json context = Json::object();
  EDGEMOE_FAIL_IF_ERROR(AddMessages(messages, system_prompt_, context));
  context["add_generation_prompt"] = options.add_generation_prompt;
  context["bos_token"] = bos_;
  context["eos_token"] = eos_;
  EDGEMOE_FAIL_IF_ERROR(AddVariables(options, context));
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  ::localtime_r(&now, &local);
  return parsed_->chat_template.Render(context, {.now = local});
}

}  // namespace edgemoe
