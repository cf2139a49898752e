// SPDX-License-Identifier: Apache-2.0
#include "server/calls/translate/requests.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>

#include "engine/base/accepted.h"

namespace edgemoe {
namespace {

SamplingParameters ToSampling(const v1::Sampling& sampling, const SamplingParameters& defaults,
                              const SeedSource& new_seed) {
  SamplingParameters parameters = defaults;
  if (sampling.has_temperature()) parameters.temperature = sampling.temperature();
  if (sampling.has_top_k()) parameters.top_k = sampling.top_k();
  if (sampling.has_top_p()) parameters.top_p = sampling.top_p();
  if (sampling.has_min_p()) parameters.min_p = sampling.min_p();
  if (sampling.has_repetition_penalty())
    parameters.repetition_penalty = sampling.repetition_penalty();
  if (sampling.has_presence_penalty()) parameters.presence_penalty = sampling.presence_penalty();
  if (sampling.has_frequency_penalty()) parameters.frequency_penalty = sampling.frequency_penalty();
  if (sampling.has_penalty_last_n()) parameters.penalty_last_n = sampling.penalty_last_n();
  parameters.logit_bias.reserve(static_cast<std::size_t>(sampling.logit_bias_size()));
  for (const v1::LogitBias& bias : sampling.logit_bias())
    parameters.logit_bias.push_back({.token = TokenId{bias.token()}, .bias = bias.bias()});
  parameters.seed = sampling.has_seed() ? sampling.seed() : new_seed();
  return parameters;
}

Result<StopParameters> ToStop(const v1::Stopping& stopping) {
  StopParameters stop;
  if (stopping.has_max_tokens()) stop.max_tokens = stopping.max_tokens();
  stop.sequences.assign(stopping.sequences().begin(), stopping.sequences().end());
  stop.tokens = ToTokenIds(stopping.tokens());
  EDGEMOE_ASSIGN_OR_FAIL(stop.time_limit_ms, ToTimeLimitMs("stopping.time_limit_seconds",
                                                           stopping.time_limit_seconds()));
  stop.ignore_end_of_generation = stopping.ignore_end_of_generation();
  return stop;
}

Result<int> ToTopLogprobCount(const v1::ResponseOptions& response) {
  if (!response.has_top_logprobs()) return kTopLogprobsUnset;
  if (response.top_logprobs() > kTopLogprobsMax)
    return Failure(InvalidField("response.top_logprobs", ShowValue(response.top_logprobs()),
                                AcceptedRange(0, kTopLogprobsMax)));
  return static_cast<int>(response.top_logprobs());
}

// What Complete and Chat have in common.
template <class Request>
Result<GenerateRequest> CommonOf(const Request& request, const SamplingParameters& defaults,
                                 const SeedSource& new_seed) {
  EDGEMOE_ASSIGN_OR_FAIL(const int top_logprob_count, ToTopLogprobCount(request.response()));
  GenerateRequest result;
  result.sampling = ToSampling(request.sampling(), defaults, new_seed);
  EDGEMOE_ASSIGN_OR_FAIL(result.stop, ToStop(request.stopping()));
  result.top_logprob_count = top_logprob_count;
  return result;
}

constexpr std::array<std::string_view, 4> kRoles = {"system", "user", "assistant", "tool"};

// The parts of a message as one text.
Result<std::string> ContentOf(const v1::ChatMessage& message) {
  std::string text;
  for (int i = 0; i < message.content_size(); ++i) {
    const v1::ContentPart& part = message.content(i);
    const std::string field = "content[" + std::to_string(i) + "]";
    switch (part.part_case()) {
      case v1::ContentPart::kText: text += part.text(); break;
      case v1::ContentPart::kImage:
        return Failure(
            InvalidField(field, "an image, which no model that is served can read", "text"));
      case v1::ContentPart::PART_NOT_SET:
        return Failure(InvalidFieldError(field, "not set; accepted: text"));
    }
  }
  return text;
}

std::vector<ToolCall> CallsOf(const v1::ChatMessage& message) {
  std::vector<ToolCall> calls;
  for (const v1::ToolCall& call : message.tool_calls())
    calls.push_back({.id = call.id(), .name = call.name(), .arguments = call.arguments()});
  return calls;
}

template <class Request>
std::vector<ToolDefinition> ToolsOf(const Request& request) {
  std::vector<ToolDefinition> tools;
  for (const v1::Tool& tool : request.tools())
    tools.push_back(
        {.name = tool.name(), .description = tool.description(), .parameters = tool.parameters()});
  return tools;
}

template <class Request>
Result<Conversation> ConversationOf(const Request& request) {
  EDGEMOE_FAIL_IF_ERROR(CheckRange("messages", request.messages_size(), 1, kMessagesMax));
  if (request.template_variables().size() > kTemplateVariablesMax)
    return Failure(InvalidField("template_variables",
                                ShowValue(request.template_variables().size()),
                                AcceptedAtMost(kTemplateVariablesMax)));
  Conversation conversation;
  conversation.messages.reserve(static_cast<std::size_t>(request.messages_size()));
  for (const v1::ChatMessage& message : request.messages()) {
    const std::string field = "messages[" + std::to_string(conversation.messages.size()) + "]";
    if (std::ranges::find(kRoles, message.role()) == kRoles.end())
      return Failure(
          InvalidField(field + ".role", ShowValue(message.role()), AcceptedNames(kRoles)));
    Result<std::string> content = ContentOf(message);
    if (!content) return Failure(content.error().InField(field));
    conversation.messages.push_back({.role = message.role(),
                                     .content = *std::move(content),
                                     .reasoning = message.reasoning(),
                                     .tool_calls = CallsOf(message),
                                     .tool_call_id = message.tool_call_id(),
                                     .tool_name = message.tool_name()});
  }
  for (const auto& [name, json] : request.template_variables())
    conversation.options.variables.emplace_back(name, json);
  EDGEMOE_FAIL_IF_ERROR(CheckRange("tools", request.tools_size(), 0, static_cast<int>(kToolsMax)));
  conversation.options.tools = ToolsOf(request);
  if (request.reasoning().has_enabled())
    conversation.options.thinks = request.reasoning().enabled();
  conversation.options.reasoning_effort = request.reasoning().effort();
  return conversation;
}

}  // namespace

Result<GenerateRequest> ToGenerateRequest(const v1::CompleteRequest& request,
                                          const SamplingParameters& defaults,
                                          const SeedSource& new_seed) {
  EDGEMOE_ASSIGN_OR_FAIL(GenerateRequest result, CommonOf(request, defaults, new_seed));
  switch (request.input_case()) {
    case v1::CompleteRequest::kPrompt: result.prompt = request.prompt(); break;
    case v1::CompleteRequest::kPromptTokens:
      result.prompt = ToTokenIds(request.prompt_tokens().ids());
      break;
    case v1::CompleteRequest::INPUT_NOT_SET:
      return Failure(
          InvalidFieldError("input", "not set; accepted: one of prompt and prompt_tokens"));
  }
  return result;
}

Result<GenerateRequest> ToGenerateRequest(const v1::ChatRequest& request,
                                          const SamplingParameters& defaults,
                                          const SeedSource& new_seed) {
  EDGEMOE_ASSIGN_OR_FAIL(GenerateRequest result, CommonOf(request, defaults, new_seed));
  result.answer = AnswerOptions{.tools = ToolsOf(request), .reasoning_tokens_max = {}};
  if (request.reasoning().has_max_tokens())
    result.answer->reasoning_tokens_max = request.reasoning().max_tokens();
  return result;
}

Result<ScoreRequest> ToScoreRequest(const v1::ScoreRequest& request) {
  EDGEMOE_FAIL_IF_ERROR(CheckRange("top_logprobs", request.top_logprobs(), 0, kTopLogprobsMax));
  ScoreRequest result;
  result.top_logprob_count = request.top_logprobs();
  switch (request.input_case()) {
    case v1::ScoreRequest::kText: result.text = request.text(); break;
    case v1::ScoreRequest::kTokens: result.text = ToTokenIds(request.tokens().ids()); break;
    case v1::ScoreRequest::INPUT_NOT_SET:
      return Failure(InvalidFieldError("input", "not set; accepted: one of text and tokens"));
  }
  return result;
}

Result<EmbedRequest> ToEmbedRequest(const v1::EmbedRequest& request) {
  EmbedRequest result;
  result.texts.assign(request.texts().begin(), request.texts().end());
  switch (request.pooling()) {
    case v1::POOLING_UNSPECIFIED: break;
    case v1::POOLING_MEAN: result.parameters.pooling = Pooling::kMean; break;
    case v1::POOLING_LAST: result.parameters.pooling = Pooling::kLast; break;
    case v1::POOLING_FIRST: result.parameters.pooling = Pooling::kFirst; break;
    default:
      return Failure(InvalidField("pooling", ShowValue(static_cast<int>(request.pooling())),
                                  "POOLING_MEAN, POOLING_LAST, POOLING_FIRST"));
  }
  result.parameters.normalize = !request.has_normalize() || request.normalize();
  return result;
}

Result<Conversation> ToConversation(const v1::ChatRequest& request) {
  return ConversationOf(request);
}

Result<Conversation> ToConversation(const v1::ApplyTemplateRequest& request) {
  EDGEMOE_ASSIGN_OR_FAIL(Conversation conversation, ConversationOf(request));
  if (request.has_add_generation_prompt())
    conversation.options.add_generation_prompt = request.add_generation_prompt();
  return conversation;
}

Result<std::uint32_t> ToTimeLimitMs(const char* field, double seconds) {
  if (!(seconds >= 0 && seconds <= kTimeLimitSecondsMax))
    return Failure(
        InvalidField(field, ShowValue(seconds), AcceptedRange(0.0, kTimeLimitSecondsMax)));
  return static_cast<std::uint32_t>(std::ceil(seconds * 1000));
}

TokenizeOptions ToTokenizeOptions(const v1::TokenizeRequest& request) {
  TokenizeOptions options;
  if (request.has_add_special()) options.add_special = request.add_special();
  if (request.has_parse_special()) options.parse_special = request.parse_special();
  return options;
}

std::vector<TokenId> ToTokenIds(const google::protobuf::RepeatedField<std::int32_t>& ids) {
  std::vector<TokenId> tokens;
  tokens.reserve(static_cast<std::size_t>(ids.size()));
  for (const std::int32_t id : ids) tokens.push_back(TokenId{id});
  return tokens;
}

Status AboutMessages(const Status& status) {
  return status.field() == "prompt" ? status.WithField("messages") : status;
}

}  // namespace edgemoe
