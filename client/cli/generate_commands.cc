// SPDX-License-Identifier: Apache-2.0
//
// complete and chat.
#include <unistd.h>

#include <cstdio>
#include <utility>

#include "client/cli/answer.h"
#include "client/cli/commands.h"
#include "client/cli/input.h"
#include "client/cli/terminal/line_editor.h"

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

// The conversation at a terminal. The request's messages are the history.
class Conversation {
 public:
  Conversation(Session& session, ChatCommand command)
      : session_(session),
        request_(std::move(command.request)),
        system_(std::move(command.system)),
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
    } else if (line == "/help") {
      std::fputs("/clear forgets the conversation, /exit leaves, everything else is said.\n",
                 stderr);
    } else if (line.starts_with('/') && line.find(' ') == std::string::npos) {
      std::fprintf(stderr, "%s is no command: there are /clear, /exit and /help.\n", line.c_str());
    } else {
      Say(line);
    }
  }

  void Say(const std::string& line) {
    if (const client::Status status = session_.Connect(); !status.ok()) {
      (void)session_.Fail(status);
      return;
    }
    AddMessage(request_, "user", line);
    Answer answer = Ask(session_, request_);
    if (answer.status.ok() || (answer.interrupted && !answer.text.empty())) {
      AddMessage(request_, "assistant", std::move(answer.text));
      if (answer.reason == v1::FINISH_REASON_CONTEXT_FULL)
        std::fputs("The context is full; /clear starts anew.\n", stderr);
      return;
    }
    // The question is taken back, so that it can be asked again.
    request_.mutable_messages()->RemoveLast();
    if (!answer.interrupted) (void)session_.Fail(answer.status);
    if (answer.status.reason == "CONTEXT_EXCEEDED")
      std::fputs("The conversation has outgrown the context; /clear starts anew.\n", stderr);
    session_.Forget(answer.status);
  }

  Session& session_;
  v1::ChatRequest request_;
  std::string system_;
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
  Session session(options);
  if (const client::Status status = session.Connect(); !status.ok()) return session.Fail(status);
  if (talks) return Conversation(session, std::move(command)).Run();
  if (!command.system.empty()) AddMessage(command.request, "system", command.system);
  AddMessage(command.request, "user", *command.message);
  return FinishAnswer(session, Ask(session, command.request));
}

}  // namespace edgemoe::cli
