// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string_view>

#include "engine/base/result.h"
#include "engine/engine.h"

namespace edgemoe {

constexpr std::size_t kChatMessagesMax = 4096;
constexpr std::size_t kTemplateVariablesMax = 64;
constexpr std::size_t kToolNameBytesMax = 256;
constexpr std::size_t kReasoningEffortBytesMax = 64;

// How templates differ in what they read of a message, whatever they write.
struct TemplateReads {
  bool one_of_thoughts_and_content = false;  // of a message with calls; the content gives way
  bool arguments_as_text = false;            // of calls; else they are objects
  bool responses_beside_calls = false;       // as "tool_responses" of the message with the calls
};

// Adds to `context` messages, tools, switches and variables under the names that templates look for
// (engine/template/chat_template.h). `system_prompt`: of conversations without a system message.
// INVALID_ARGUMENT names the field: "messages[2].tool_calls[0].arguments", "tools[1].parameters".
Result<nlohmann::ordered_json> ChatContext(std::span<const ChatMessage> messages,
                                           std::string_view system_prompt,
                                           const ChatTemplateOptions& options,
                                           const TemplateReads& reads,
                                           nlohmann::ordered_json context);

}  // namespace edgemoe
