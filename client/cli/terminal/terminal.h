// SPDX-License-Identifier: Apache-2.0
//
// What people see.
#pragma once

#include <string>
#include <string_view>

#include "client/cli/terminal/exit_code.h"
#include "client/status.h"

namespace edgemoe::cli {

// One line on stderr that is overwritten again and again; nothing when stderr is not a terminal.
class StatusLine {
 public:
  StatusLine();
  ~StatusLine() { Clear(); }
  StatusLine(const StatusLine&) = delete;
  StatusLine& operator=(const StatusLine&) = delete;

  // Whether anything is shown.
  bool enabled() const { return enabled_; }
  void Show(std::string_view text);
  void Clear();

 private:
  bool enabled_;
  bool shown_ = false;
};

// Writes to stdout at once. On a terminal, control characters but tab and line break become U+FFFD:
// a model's text must not command the terminal. False when it could not be written.
bool WriteOut(std::string_view text);

// WriteOut for what stands beside an answer: dim on a terminal, nothing elsewhere.
bool WriteDim(std::string_view text);
bool OutputIsTerminal();

// WriteOut, with a line break after it in WriteLine; what could not be written is reported on
// stderr.
ExitCode Write(std::string_view text);
ExitCode WriteLine(std::string text);

// `text` as WriteOut would write it to a terminal.
std::string WithoutControls(std::string_view text);

// Tells an error in the form that was asked for, on stdout as JSON or on stderr in words; gives the
// process's exit code.
ExitCode ReportError(const client::Status& status, bool json);

}  // namespace edgemoe::cli
