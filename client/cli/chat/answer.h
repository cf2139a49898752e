// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "client/cli/session.h"
#include "client/client.h"

namespace edgemoe::cli {

// What came of one Complete or Chat.
struct Answer {
  client::Status status;
  v1::FinishReason reason = v1::FINISH_REASON_UNSPECIFIED;
  std::string text;
  std::string reasoning;
  std::vector<v1::ToolCall> tool_calls;  // those that are whole
  bool interrupted = false;              // by Ctrl-C
};

// Sends a request with `open`, again while the daemon is loading, and writes the answer to stdout
// as it comes: its text, on a terminal with what the model thinks before it, dim, or every message
// as a line of JSON. Calls of tools are told on stderr. Ctrl-C cancels it. With --verbose
// timings and I/O follow on stderr. `accepted` is called once, before anything is written, when the
// daemon has taken the request.
Answer RunAnswer(Session& session, const std::function<client::CompleteStream()>& open);
Answer RunAnswer(Session& session, const std::function<client::ChatStream()>& open,
                 const std::function<void()>& accepted);

// Reports an answer that did not end well; gives the process's exit code.
ExitCode FinishAnswer(const Session& session, const Answer& answer);

}  // namespace edgemoe::cli
