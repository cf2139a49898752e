// SPDX-License-Identifier: Apache-2.0
#include "client/cli/chat/turns.h"

#include <algorithm>
#include <utility>

namespace edgemoe::cli {
namespace {

bool IsUsers(const v1::ChatMessage& message) { return message.role() == "user"; }

}  // namespace

void AddMessage(v1::ChatRequest& request, const char* role, std::string text) {
  v1::ChatMessage* const message = request.add_messages();
  message->set_role(role);
  message->add_content()->set_text(std::move(text));
}

std::string TextOf(const v1::ChatMessage& message) {
  std::string text;
  for (const v1::ContentPart& part : message.content()) text += part.text();
  return text;
}

bool HasSystemMessage(const v1::ChatRequest& request) {
  return request.messages_size() > 0 && request.messages(0).role() == "system";
}

void SetSystemMessage(v1::ChatRequest& request, std::string text) {
  if (HasSystemMessage(request)) request.mutable_messages()->DeleteSubrange(0, 1);
  if (text.empty()) return;
  AddMessage(request, "system", std::move(text));
  auto& messages = *request.mutable_messages();
  std::rotate(messages.pointer_begin(), messages.pointer_end() - 1, messages.pointer_end());
}

int TurnCount(const v1::ChatRequest& request) {
  return static_cast<int>(std::ranges::count_if(request.messages(), IsUsers));
}

void DropOldestTurns(v1::ChatRequest& request, int count) {
  auto& messages = *request.mutable_messages();
  const int begin = HasSystemMessage(request) ? 1 : 0;
  int end = begin;
  for (int users = 0; end < messages.size(); ++end) {
    users += IsUsers(messages[end]) ? 1 : 0;
    if (users > count) break;
  }
  messages.DeleteSubrange(begin, end - begin);
}

bool DropLastAnswer(v1::ChatRequest& request) {
  auto& messages = *request.mutable_messages();
  int end = messages.size();
  while (end > 0 && !IsUsers(messages[end - 1])) --end;
  if (end == 0) return false;
  messages.DeleteSubrange(end, messages.size() - end);
  return true;
}

}  // namespace edgemoe::cli
