// SPDX-License-Identifier: Apache-2.0
//
// tokenize, detokenize, template.
#include <cctype>
#include <charconv>
#include <cstdio>
#include <utility>

#include "client/cli/commands/commands.h"
#include "client/cli/json.h"
#include "client/cli/terminal/input.h"
#include "client/message_text.h"

namespace edgemoe::cli {
namespace {

// "12, 13 14": ids between spaces and commas.
client::Result<std::vector<std::int32_t>> ParseIds(const std::string& text) {
  std::vector<std::int32_t> ids;
  const char* end = text.data() + text.size();
  for (const char* at = text.data(); at != end;) {
    if (*at == ',' || std::isspace(static_cast<unsigned char>(*at)) != 0) {
      ++at;
      continue;
    }
    std::int32_t id = 0;
    const auto parsed = std::from_chars(at, end, id);
    if (parsed.ec != std::errc())
      return tl::unexpected(client::Status{
          client::StatusCode::kInvalidArgument,
          "tokens: expected ids between spaces or commas, found something else at byte " +
              std::to_string(at - text.data()),
          std::nullopt});
    ids.push_back(id);
    at = parsed.ptr;
  }
  return ids;
}

// A token's bytes for a table: line breaks and tabs would tear it, and bytes that are only a part
// of a character are no text.
std::string OnOneLine(const std::string& bytes) {
  const bool is_text = !client::FirstInvalidByte(bytes);
  std::string line;
  for (const char c : bytes) {
    if (c == '\n') {
      line += "\\n";
    } else if (c == '\t') {
      line += "\\t";
    } else if (is_text || static_cast<unsigned char>(c) < 0x80) {
      line += c;
    } else {
      char hex[8];
      std::snprintf(hex, sizeof(hex), "\\x%02X", static_cast<unsigned char>(c));
      line += hex;
    }
  }
  return line;
}

}  // namespace

ExitCode Run(const CommonOptions& options, TokenizeCommand command) {
  auto text = ReadText(command.text);
  if (!text) return FailInput(text.error(), options.json);
  command.request.set_text(std::move(*text));
  Session session(options);
  if (const client::Status status = session.Connect(); !status.ok()) return session.Fail(status);
  const auto response = session.Retry([&] { return session.client().Tokenize(command.request); });
  if (!response) return session.Fail(response.error());
  if (options.json) return WriteLine(ToJson(*response));
  std::string lines;
  for (const v1::Token& token : response->tokens())
    lines += std::to_string(token.id()) + "\t" + OnOneLine(token.bytes()) + "\n";
  return Write(lines);
}

ExitCode Run(const CommonOptions& options, DetokenizeCommand command) {
  if (command.request.tokens().empty()) {
    const auto text = ReadStandardInput();
    if (!text) return FailInput(text.error(), options.json);
    const auto ids = ParseIds(*text);
    if (!ids) return FailInput(ids.error(), options.json);
    command.request.mutable_tokens()->Add(ids->begin(), ids->end());
  }
  Session session(options);
  if (const client::Status status = session.Connect(); !status.ok()) return session.Fail(status);
  const auto response = session.Retry([&] { return session.client().Detokenize(command.request); });
  if (!response) return session.Fail(response.error());
  return options.json ? WriteLine(ToJson(*response)) : WriteLine(response->text());
}

ExitCode Run(const CommonOptions& options, TemplateCommand command) {
  const auto add = [&](const char* role, const std::string& content) {
    v1::ChatMessage* message = command.request.add_messages();
    message->set_role(role);
    message->add_content()->set_text(content);
  };
  if (!command.system.empty()) add("system", command.system);
  for (std::size_t i = 0; i < command.messages.size(); ++i)
    add(i % 2 == 0 ? "user" : "assistant", command.messages[i]);
  Session session(options);
  if (const client::Status status = session.Connect(); !status.ok()) return session.Fail(status);
  const auto response =
      session.Retry([&] { return session.client().ApplyTemplate(command.request); });
  if (!response) return session.Fail(response.error());
  return options.json ? WriteLine(ToJson(*response)) : Write(response->prompt());
}

}  // namespace edgemoe::cli
