// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "client/cli/session.h"
#include "client/client.h"

namespace edgemoe::cli {

// What came of one Complete or Chat.
struct Answer {
  client::Status status;
  v1::FinishReason reason = v1::FINISH_REASON_UNSPECIFIED;
  std::string text;
  bool interrupted = false;  // by Ctrl-C
};

// Sends a request with `open`, again while the daemon is loading, and writes the answer to stdout
// as it comes: its text, or every message as a line of JSON. Ctrl-C cancels it. With --verbose
// timings and I/O follow on stderr.
Answer RunAnswer(Session& session, const std::function<client::CompleteStream()>& open);
Answer RunAnswer(Session& session, const std::function<client::ChatStream()>& open);

// Reports an answer that did not end well; gives the process's exit code.
ExitCode FinishAnswer(const Session& session, const Answer& answer);

}  // namespace edgemoe::cli
