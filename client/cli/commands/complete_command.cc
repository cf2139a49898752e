// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "client/cli/chat/answer.h"
#include "client/cli/commands/commands.h"

namespace edgemoe::cli {

ExitCode Run(const CommonOptions& options, CompleteCommand command) {
  if (!command.request.has_prompt_tokens()) {
    auto prompt = ReadText(command.prompt);
    if (!prompt) return FailInput(prompt.error(), options.json);
    command.request.set_prompt(std::move(*prompt));
  }
  Session session(options);
  if (const client::Status status = session.Connect(); !status.ok()) return session.Fail(status);
  return FinishAnswer(session, RunAnswer(session, std::function<client::CompleteStream()>([&] {
                                           return session.client().Complete(command.request);
                                         })));
}

}  // namespace edgemoe::cli
