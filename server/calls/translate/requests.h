// SPDX-License-Identifier: Apache-2.0
//
// Requests of the API as the engine takes them. Errors are INVALID_ARGUMENT and name the API's
// field; ranges that the engine checks are left to it.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "edgemoe/v1/inference.pb.h"
#include "engine/engine.h"

namespace edgemoe {

constexpr int kMessagesMax = 4096;  // of a conversation
constexpr int kTemplateVariablesMax = 64;
constexpr int kTopLogprobsUnset = -1;
constexpr double kTimeLimitSecondsMax = 4294967;

// Where seeds come from that a request does not give.
using SeedSource = std::function<std::uint64_t()>;

// `defaults`: of what the request does not say, but for the seed.
Result<GenerateRequest> ToGenerateRequest(const v1::CompleteRequest& request,
                                          const SamplingParameters& defaults,
                                          const SeedSource& new_seed);

// Without the prompt, which the template makes of the messages.
Result<GenerateRequest> ToGenerateRequest(const v1::ChatRequest& request,
                                          const SamplingParameters& defaults,
                                          const SeedSource& new_seed);

Result<ScoreRequest> ToScoreRequest(const v1::ScoreRequest& request);

struct Conversation {
  std::vector<ChatMessage> messages;
  ChatTemplateOptions options;
};
Result<Conversation> ToConversation(const v1::ChatRequest& request);
Result<Conversation> ToConversation(const v1::ApplyTemplateRequest& request);

// Milliseconds, rounded up. INVALID_ARGUMENT names `field`.
Result<std::uint32_t> ToTimeLimitMs(const char* field, double seconds);

TokenizeOptions ToTokenizeOptions(const v1::TokenizeRequest& request);
std::vector<TokenId> ToTokenIds(const google::protobuf::RepeatedField<std::int32_t>& ids);

// An error about the field "prompt" as one about "messages", which the prompt was made of.
Status AboutMessages(const Status& status);

}  // namespace edgemoe
