// SPDX-License-Identifier: Apache-2.0
//
// The daemon's command line: one flag for each configuration key, and --config, --print-config,
// --check-config, --version, --help.
#pragma once

#include <string>

#include "server/process/config.h"
#include "server/process/exit_codes.h"

namespace edgemoe {

struct CommandLine {
  enum class Action { kRun, kExit };
  Action action = Action::kExit;
  // kExit: what to print (to stdout when the code is kOk, else to stderr) and the exit code.
  std::string text;
  ExitCode exit_code = ExitCode::kOk;
  // kRun: the file's values, overridden by the flags.
  Config config;
};

CommandLine ParseCommandLine(int argc, const char* const* argv);

}  // namespace edgemoe
