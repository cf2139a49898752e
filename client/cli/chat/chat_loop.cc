// SPDX-License-Identifier: Apache-2.0
#include "client/cli/chat/chat_loop.h"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

#include "client/cli/chat/asking.h"
#include "client/cli/chat/chat_file.h"
#include "client/cli/chat/context_fit.h"
#include "client/cli/chat/history_file.h"
#include "client/cli/chat/multi_line.h"
#include "client/cli/chat/settings_text.h"
#include "client/cli/chat/slash_commands.h"
#include "client/cli/chat/turns.h"
#include "client/cli/terminal/line_editor.h"
#include "client/cli/terminal/terminal.h"

namespace edgemoe::cli {
namespace {

// A line for the person at the terminal; answers alone go to stdout.
void Note(const std::string& text) { std::fprintf(stderr, "%s\n", WithoutControls(text).c_str()); }

std::string TurnsText(int count) {
  return std::to_string(count) + (count == 1 ? " turn" : " turns");
}

// "~/" as a shell would have it.
std::string ExpandHome(const std::string& path) {
  const char* const home = std::getenv("HOME");
  return path.starts_with("~/") && home != nullptr ? home + path.substr(1) : path;
}

class ChatLoop {
 public:
  ChatLoop(Session& session, v1::ChatRequest request, const ToolBox& tools)
      : session_(session),
        request_(std::move(request)),
        tools_(tools),
        editor_(session.interrupts()),
        history_(HistoryPath(), LineEditor::kHistoryLines) {
    for (const std::string& line : history_.Load()) editor_.Remember(line);
  }

  ExitCode Run();

 private:
  void Remember(const std::string& line);
  // False: whoever typed it leaves.
  bool Take(const TypedText& typed);
  void Obey(SlashCommand command, const std::string& argument);
  void Clear();
  void Fold();
  void Load(const std::string& path);
  void Retry();
  void Save(const std::string& path, bool replaces);
  void Set(const std::string& argument);
  void System(const std::string& text);
  void Say(const std::string& text);
  // Asks the last message of `asked`, which becomes the conversation if there is an answer.
  void AskAndKeep(v1::ChatRequest asked);

  Session& session_;
  v1::ChatRequest request_;  // its messages are the conversation
  const ToolBox& tools_;
  LineEditor editor_;
  HistoryFile history_;
  MultiLine typed_;
};

ExitCode ChatLoop::Run() {
  Note("Ctrl-C stops an answer, Ctrl-D leaves, /help tells more.");
  bool interrupted_before = false;
  for (std::string line;;) {
    switch (editor_.Read(line, typed_.open() ? ". " : "> ")) {
      case LineEditor::Outcome::kEnd: return ExitCode::kOk;
      case LineEditor::Outcome::kInterrupted:
        if (interrupted_before) return ExitCode::kInterrupted;
        interrupted_before = !typed_.open();
        if (interrupted_before) Note("Ctrl-C again, Ctrl-D or /exit leaves.");
        typed_.Clear();
        continue;
      case LineEditor::Outcome::kLine: break;
    }
    interrupted_before = false;
    Remember(line);
    const MultiLine::State state = typed_.Take(line);
    if (state == MultiLine::State::kTooLong)
      Note("That is longer than " + std::to_string(MultiLine::kBytesMax >> 20) +
           " MiB, the most that is accepted, and is not said.");
    if (state != MultiLine::State::kWhole) continue;
    const TypedText typed =
        typed_.quoted() ? TypedText{.text = typed_.text()} : ReadTyped(typed_.text());
    if (!Take(typed)) return ExitCode::kOk;
  }
}

void ChatLoop::Remember(const std::string& line) {
  if (!history_.Keeps(line)) return;
  editor_.Remember(line);
  if (const client::Status status = history_.Append(line); !status.ok())
    Note("The history is not kept: " + status.message);
}

bool ChatLoop::Take(const TypedText& typed) {
  switch (typed.kind) {
    case TypedText::Kind::kSaid: Say(typed.text); return true;
    case TypedText::Kind::kRefused: Note(typed.text); return true;
    case TypedText::Kind::kCommand: break;
  }
  if (typed.command == SlashCommand::kExit) return false;
  Obey(typed.command, typed.text);
  return true;
}

void ChatLoop::Obey(SlashCommand command, const std::string& argument) {
  switch (command) {
    case SlashCommand::kClear: return Clear();
    case SlashCommand::kExit: return;
    case SlashCommand::kFold: return Fold();
    case SlashCommand::kHelp: return (void)std::fputs(SlashHelp().c_str(), stderr);
    case SlashCommand::kLoad: return Load(ExpandHome(argument));
    case SlashCommand::kRetry: return Retry();
    case SlashCommand::kSave: return Save(ExpandHome(argument), /*replaces=*/false);
    case SlashCommand::kSaveOver: return Save(ExpandHome(argument), /*replaces=*/true);
    case SlashCommand::kSet: return Set(argument);
    case SlashCommand::kSystem: return System(argument);
  }
}

void ChatLoop::Clear() {
  DropOldestTurns(request_, TurnCount(request_));
  Note("The conversation starts anew.");
}

void ChatLoop::Fold() {
  session_.FoldReasoning(!session_.folds_reasoning());
  Note(session_.folds_reasoning() ? "What the model thinks is not shown."
                                  : "What the model thinks is shown.");
}

void ChatLoop::Load(const std::string& path) {
  client::Result<v1::ChatRequest> loaded = LoadChat(path);
  if (!loaded) return (void)ReportError(loaded.error(), /*json=*/false);
  // The model is the one that is talked with, and a tool is nothing without its program, which the
  // file does not name.
  loaded->set_model(request_.model());
  *loaded->mutable_tools() = request_.tools();
  request_ = *std::move(loaded);
  Note(TurnsText(TurnCount(request_)) + " of " + path + " loaded, with their settings.");
  if (request_.messages().rbegin()->role() == "user")
    Note("The last message has no answer: /retry asks for one.");
}

void ChatLoop::Retry() {
  v1::ChatRequest asked = request_;
  if (!DropLastAnswer(asked)) return Note("Nothing was asked yet.");
  AskAndKeep(std::move(asked));
}

void ChatLoop::Save(const std::string& path, bool replaces) {
  if (request_.messages().empty()) return Note("There is no conversation to be saved yet.");
  client::Status status = SaveChat(request_, path, replaces);
  if (status.code == client::StatusCode::kAlreadyExists) status.message += "; /save! replaces it";
  if (!status.ok()) return (void)ReportError(status, /*json=*/false);
  Note(TurnsText(TurnCount(request_)) + " saved in " + path + ".");
}

void ChatLoop::Set(const std::string& argument) {
  std::fputs(WithoutControls(SetOrShow(argument, request_)).c_str(), stderr);
}

void ChatLoop::System(const std::string& text) {
  if (text.empty())
    return Note(HasSystemMessage(request_) ? TextOf(request_.messages(0))
                                           : "There is no system message.");
  SetSystemMessage(request_, text == "-" ? "" : text);
  Note(HasSystemMessage(request_) ? "The system message is another from now on."
                                  : "There is no system message from now on.");
}

void ChatLoop::Say(const std::string& text) {
  if (text.find_first_not_of(" \t\n") == std::string::npos) return;
  v1::ChatRequest asked = request_;
  AddMessage(asked, "user", text);
  AskAndKeep(std::move(asked));
}

void ChatLoop::AskAndKeep(v1::ChatRequest asked) {
  if (const client::Status status = session_.Connect(); !status.ok()) {
    (void)session_.Fail(status);
    return;
  }
  const Answer answer = Ask(session_, asked, tools_);
  if (answer.status.ok() || (answer.interrupted && !answer.text.empty())) {
    AddAnswer(asked, answer);
    request_ = std::move(asked);
    if (answer.reason == v1::FINISH_REASON_CONTEXT_FULL)
      Note("The context is full, and the answer ends; the next question drops the oldest turns.");
  } else if (!answer.interrupted) {
    (void)session_.Fail(answer.status);
    if (ContextRefusalOf(answer.status))
      Note(
          "The last message does not fit the context, not even without the turns before it: it is "
          "taken out of the conversation.");
  }
  session_.Forget(answer.status);
}

}  // namespace

ExitCode RunChatLoop(Session& session, v1::ChatRequest request, const ToolBox& tools) {
  return ChatLoop(session, std::move(request), tools).Run();
}

}  // namespace edgemoe::cli
