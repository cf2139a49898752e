// SPDX-License-Identifier: Apache-2.0
#include "client/cli/chat/chat_file.h"

#include <google/protobuf/util/json_util.h>

#include "client/cli/chat/context_fit.h"
#include "client/cli/terminal/input.h"
#include "client/cli/terminal/local_status.h"
#include "client/message_text.h"
#include "engine/base/system/whole_file.h"

namespace edgemoe::cli {
namespace {

std::string Found(const std::string& field, const std::string& found, const char* accepted) {
  return field + ": found " + found + "; accepted: " + accepted;
}

// What is wrong with one message; empty: nothing.
std::string CheckMessage(const v1::ChatRequest& request, int index) {
  const std::string field = "messages[" + std::to_string(index) + "]";
  const v1::ChatMessage& message = request.messages(index);
  const std::string& role = message.role();
  const std::string found_role = "\"" + role + "\"";
  if (role != "system" && role != "user" && role != "assistant" && role != "tool")
    return Found(field + ".role", found_role, "system, user, assistant, tool");
  if (role == "system" && index > 0)
    return Found(field + ".role", found_role, "user, assistant, tool behind the first message");
  const bool is_first_turn = index == 0 || (index == 1 && request.messages(0).role() == "system");
  if (role != "system" && role != "user" && is_first_turn)
    return Found(field + ".role", found_role, "user in the first turn");
  for (int part = 0; part < message.content_size(); ++part)
    if (!message.content(part).has_text())
      return Found(field + ".content[" + std::to_string(part) + "]",
                   message.content(part).has_image() ? "an image" : "nothing", "text");
  return "";
}

std::string CheckChat(const v1::ChatRequest& request) {
  const int count = request.messages_size();
  if (count == 0) return Found("messages", "none", "one or more");
  if (count > kMessagesMax)
    return Found("messages", std::to_string(count),
                 ("at most " + std::to_string(kMessagesMax)).c_str());
  for (int i = 0; i < count; ++i)
    if (std::string wrong = CheckMessage(request, i); !wrong.empty()) return wrong;
  return client::CheckMessageText(request).message;
}

}  // namespace

client::Status SaveChat(const v1::ChatRequest& request, const std::string& path, bool replaces) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  std::string text;
  const auto printed = google::protobuf::util::MessageToJsonString(request, &text, options);
  if (!printed.ok()) return {client::StatusCode::kInternal, std::string(printed.message())};
  const Status written = WriteWholeFile(
      path, text, {.replace = replaces ? Replace::kYes : Replace::kNo, .mode = 0600});
  if (written.code() == StatusCode::kAlreadyExists)
    return {client::StatusCode::kAlreadyExists, path + ": is there already"};
  return ToClient(written);
}

client::Result<v1::ChatRequest> LoadChat(const std::string& path) {
  const auto text = ReadText({.text = {}, .file = path == "-" ? "./-" : path});
  if (!text) return tl::unexpected(text.error());
  const auto refuse = [&path](const std::string& why) {
    return tl::unexpected(client::Status{client::StatusCode::kInvalidArgument,
                                         path + ": is no saved conversation: " + why});
  };
  v1::ChatRequest request;
  const auto parsed = google::protobuf::util::JsonStringToMessage(*text, &request);
  if (!parsed.ok()) return refuse(std::string(parsed.message()));
  if (const std::string wrong = CheckChat(request); !wrong.empty()) return refuse(wrong);
  return request;
}

}  // namespace edgemoe::cli
