// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <cstdio>
#include <utility>

#include "client/cli/chat/asking.h"
#include "client/cli/chat/chat_loop.h"
#include "client/cli/chat/turns.h"
#include "client/cli/commands/commands.h"
#include "client/cli/terminal/line_editor.h"
#include "client/cli/tools/tool_box.h"

namespace edgemoe::cli {
namespace {

// Asks at the terminal before a call is run.
bool AllowedByUser(Session& session, const std::string& call) {
  LineEditor editor(session.interrupts());
  std::fprintf(stderr, "The model calls %s\n", WithoutControls(call).c_str());
  std::string line;
  return editor.Read(line, "Run it? [y/N] ") == LineEditor::Outcome::kLine &&
         (line == "y" || line == "yes");
}

client::Result<ToolBox> OpenTools(Session& session, const ChatCommand& command) {
  ToolBox::Ask ask = [&session](const std::string& call) { return AllowedByUser(session, call); };
  if (command.runs_tools_unasked) ask = [](const std::string&) { return true; };
  if (command.tools_file.empty()) return ToolBox({}, std::move(ask));
  auto text = ReadText({.text = {}, .file = command.tools_file});
  if (!text) return tl::unexpected(text.error());
  auto tools = ParseTools(command.tools_file, *text);
  if (!tools) return tl::unexpected(tools.error());
  return ToolBox(*std::move(tools), std::move(ask));
}

}  // namespace

ExitCode Run(const CommonOptions& options, ChatCommand command) {
  const bool talks = !command.message && ::isatty(STDIN_FILENO) == 1;
  if (!talks && !command.message) {
    auto message = ReadStandardInput();
    if (!message) return FailInput(message.error(), options.json);
    while (message->ends_with('\n') || message->ends_with('\r')) message->pop_back();
    command.message = std::move(*message);
  }
  if (!command.tools_file.empty() && !command.runs_tools_unasked && ::isatty(STDIN_FILENO) != 1) {
    return FailInput({client::StatusCode::kInvalidArgument,
                      "--tools: asks before it runs one, and standard input is no terminal; "
                      "accepted: with --yes"},
                     options.json);
  }
  Session session(options);
  const auto tools = OpenTools(session, command);
  if (!tools) return FailInput(tools.error(), options.json);
  tools->Describe(command.request);
  if (const client::Status status = session.Connect(); !status.ok()) return session.Fail(status);
  SetSystemMessage(command.request, std::move(command.system));
  if (talks) return RunChatLoop(session, std::move(command.request), *tools);
  AddMessage(command.request, "user", *command.message);
  return FinishAnswer(session, Ask(session, command.request, *tools));
}

}  // namespace edgemoe::cli
