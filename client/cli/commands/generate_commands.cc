// SPDX-License-Identifier: Apache-2.0
//
// complete and chat.
#include <unistd.h>

#include <cstdio>
#include <utility>

#include "client/cli/commands/answer.h"
#include "client/cli/commands/commands.h"
#include "client/cli/commands/input.h"
#include "client/cli/terminal/line_editor.h"
#include "client/cli/tools/tool_box.h"

namespace edgemoe::cli {
namespace {

void AddMessage(v1::ChatRequest& request, const char* role, std::string content) {
  v1::ChatMessage* message = request.add_messages();
  message->set_role(role);
  message->add_content()->set_text(std::move(content));
}

Answer Ask(Session& session, const v1::ChatRequest& request) {
  return RunAnswer(
      session, std::function<client::ChatStream()>([&] { return session.client().Chat(request); }));
}

void AddAnswer(v1::ChatRequest& request, const Answer& answer) {
  AddMessage(request, "assistant", answer.text);
  v1::ChatMessage& message = *request.mutable_messages()->rbegin();
  message.set_reasoning(answer.reasoning);
  message.mutable_tool_calls()->Add(answer.tool_calls.begin(), answer.tool_calls.end());
}

constexpr int kToolRoundsMax = 32;  // of answers to one question

// Asks, runs the tools that the answer calls, and asks on with what they gave, until an answer
// calls none. The request gets all messages between the question and the last answer.
Answer AskWithTools(Session& session, v1::ChatRequest& request, const ToolBox& tools) {
  for (int round = 0;; ++round) {
    Answer answer = Ask(session, request);
    const bool goes_on = answer.status.ok() && !answer.interrupted && !answer.tool_calls.empty();
    if (!goes_on || tools.empty()) return answer;
    if (round == kToolRoundsMax) {
      answer.status = {client::StatusCode::kResourceExhausted,
                       "the model has called tools " + std::to_string(round) +
                           " times for one question, the most that is accepted"};
      return answer;
    }
    AddAnswer(request, answer);
    for (const v1::ToolCall& call : answer.tool_calls) {
      auto result = tools.Answer(call, session.interrupts());
      if (!result) {
        answer.interrupted = true;
        answer.text.clear();
        answer.status = result.error();
        return answer;
      }
      *request.add_messages() = *std::move(result);
    }
  }
}

// Asks at the terminal before a call is run.
bool AllowedByUser(Session& session, const std::string& call) {
  LineEditor editor(session.interrupts(), "Run it? [y/N] ");
  std::fprintf(stderr, "The model calls %s\n", WithoutControls(call).c_str());
  std::string line;
  return editor.Read(line) == LineEditor::Outcome::kLine && (line == "y" || line == "yes");
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

// The conversation at a terminal. The request's messages are the history.
class Conversation {
 public:
  Conversation(Session& session, ChatCommand command, const ToolBox& tools)
      : session_(session),
        request_(std::move(command.request)),
        system_(std::move(command.system)),
        tools_(tools),
        editor_(session.interrupts(), "> ") {
    Clear();
  }

  ExitCode Run() {
    std::fputs("Ctrl-C stops an answer, Ctrl-D leaves, /help tells more.\n", stderr);
    bool interrupted_before = false;
    for (std::string line;;) {
      switch (editor_.Read(line)) {
        case LineEditor::Outcome::kEnd: return ExitCode::kOk;
        case LineEditor::Outcome::kInterrupted:
          if (interrupted_before) return ExitCode::kInterrupted;
          std::fputs("Ctrl-C again, Ctrl-D or /exit leaves.\n", stderr);
          interrupted_before = true;
          continue;
        case LineEditor::Outcome::kLine: break;
      }
      interrupted_before = false;
      if (line == "/exit") return ExitCode::kOk;
      Take(line);
    }
  }

 private:
  void Clear() {
    request_.clear_messages();
    if (!system_.empty()) AddMessage(request_, "system", system_);
  }

  void Take(const std::string& line) {
    if (line.find_first_not_of(" \t") == std::string::npos) return;
    if (line == "/clear") {
      Clear();
      std::fputs("The conversation starts anew.\n", stderr);
    } else if (line == "/fold") {
      session_.FoldReasoning(!session_.folds_reasoning());
      std::fputs(session_.folds_reasoning() ? "What the model thinks is not shown.\n"
                                            : "What the model thinks is shown.\n",
                 stderr);
    } else if (line == "/help") {
      std::fputs(
          "/clear forgets the conversation, /fold hides or shows what the model thinks, /exit "
          "leaves, everything else is said.\n",
          stderr);
    } else if (line.starts_with('/') && line.find(' ') == std::string::npos) {
      std::fprintf(stderr, "%s is no command: there are /clear, /exit, /fold and /help.\n",
                   line.c_str());
    } else {
      Say(line);
    }
  }

  void Say(const std::string& line) {
    if (const client::Status status = session_.Connect(); !status.ok()) {
      (void)session_.Fail(status);
      return;
    }
    const int messages_before = request_.messages_size();
    AddMessage(request_, "user", line);
    const Answer answer = AskWithTools(session_, request_, tools_);
    if (answer.status.ok() || (answer.interrupted && !answer.text.empty())) {
      AddAnswer(request_, answer);
      if (answer.reason == v1::FINISH_REASON_CONTEXT_FULL)
        std::fputs("The context is full; /clear starts anew.\n", stderr);
      return;
    }
    // The question is taken back, so that it can be asked again.
    request_.mutable_messages()->DeleteSubrange(messages_before,
                                                request_.messages_size() - messages_before);
    if (!answer.interrupted) (void)session_.Fail(answer.status);
    if (answer.status.reason == "CONTEXT_EXCEEDED")
      std::fputs("The conversation has outgrown the context; /clear starts anew.\n", stderr);
    session_.Forget(answer.status);
  }

  Session& session_;
  v1::ChatRequest request_;
  std::string system_;
  const ToolBox& tools_;
  LineEditor editor_;
};

}  // namespace

ExitCode Run(const CommonOptions& options, CompleteCommand command) {
  if (!command.request.has_prompt_tokens()) {
    auto prompt = ReadText(command.prompt);
    if (!prompt) return FailInput(prompt.error(), options);
    command.request.set_prompt(std::move(*prompt));
  }
  Session session(options);
  if (const client::Status status = session.Connect(); !status.ok()) return session.Fail(status);
  return FinishAnswer(session, RunAnswer(session, std::function<client::CompleteStream()>([&] {
                                           return session.client().Complete(command.request);
                                         })));
}

ExitCode Run(const CommonOptions& options, ChatCommand command) {
  const bool talks = !command.message && ::isatty(STDIN_FILENO) == 1;
  if (!talks && !command.message) {
    auto message = ReadStandardInput();
    if (!message) return FailInput(message.error(), options);
    while (message->ends_with('\n') || message->ends_with('\r')) message->pop_back();
    command.message = std::move(*message);
  }
  if (!command.tools_file.empty() && !command.runs_tools_unasked && ::isatty(STDIN_FILENO) != 1) {
    return FailInput({client::StatusCode::kInvalidArgument,
                      "--tools: asks before it runs one, and standard input is no terminal; "
                      "accepted: with --yes"},
                     options);
  }
  Session session(options);
  const auto tools = OpenTools(session, command);
  if (!tools) return FailInput(tools.error(), options);
  tools->Describe(command.request);
  if (const client::Status status = session.Connect(); !status.ok()) return session.Fail(status);
  if (talks) return Conversation(session, std::move(command), *tools).Run();
  if (!command.system.empty()) AddMessage(command.request, "system", command.system);
  AddMessage(command.request, "user", *command.message);
  return FinishAnswer(session, AskWithTools(session, command.request, *tools));
}

}  // namespace edgemoe::cli
