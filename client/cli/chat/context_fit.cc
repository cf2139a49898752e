// SPDX-License-Identifier: Apache-2.0
#include "client/cli/chat/context_fit.h"

#include <vector>

#include "client/cli/chat/turns.h"

namespace edgemoe::cli {
namespace {

struct TurnSize {
  int messages = 0;
  std::size_t bytes = 0;
};

std::vector<TurnSize> SizesOf(const v1::ChatRequest& request) {
  std::vector<TurnSize> sizes;
  for (const v1::ChatMessage& message : request.messages()) {
    if (message.role() == "user") sizes.emplace_back();
    if (sizes.empty()) continue;  // the system message
    ++sizes.back().messages;
    sizes.back().bytes += message.ByteSizeLong();
  }
  return sizes;
}

}  // namespace

int TurnsBeyondRequest(const v1::ChatRequest& request) {
  const std::vector<TurnSize> sizes = SizesOf(request);
  int messages = request.messages_size();
  std::size_t bytes = request.ByteSizeLong();
  std::size_t dropped = 0;
  while (dropped + 1 < sizes.size() && (messages > kMessagesMax || bytes > kRequestBytesMax)) {
    messages -= sizes[dropped].messages;
    bytes -= sizes[dropped].bytes;
    ++dropped;
  }
  return static_cast<int>(dropped);
}

std::optional<ContextRefusal> ContextRefusalOf(const client::Status& status) {
  if (status.reason != "CONTEXT_EXCEEDED") return std::nullopt;
  return ContextRefusal{.context_tokens = status.Figure("context_tokens"),
                        .prompt_tokens = status.Figure("prompt_tokens")};
}

int TurnsToDrop(const v1::ChatRequest& request, const ContextRefusal& refusal, bool again) {
  constexpr double kPromptShare = 0.75;
  constexpr double kShareUnknown = 0.5;  // of the prompt that is kept, where nothing was told
  const std::vector<TurnSize> sizes = SizesOf(request);
  if (sizes.size() < 2) return 0;
  const auto total_bytes = static_cast<double>(request.ByteSizeLong());
  double share = kShareUnknown;
  if (refusal.context_tokens && refusal.prompt_tokens.value_or(0) > 0)
    share = kPromptShare * static_cast<double>(*refusal.context_tokens) /
            static_cast<double>(*refusal.prompt_tokens);
  const std::size_t least = again ? (sizes.size() + 1) / 2 : 1;
  std::size_t count = 0;
  double bytes = total_bytes;
  while (count + 1 < sizes.size() && (count < least || bytes > share * total_bytes))
    bytes -= static_cast<double>(sizes[count++].bytes);
  return static_cast<int>(count);
}

}  // namespace edgemoe::cli
