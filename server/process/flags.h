// SPDX-License-Identifier: Apache-2.0
//
// The daemon's command line: the model, one flag for each configuration key, and --config,
// --print-config, --check-config, --version, --help.
#pragma once

#include <string>
#include <vector>

#include "server/process/config.h"
#include "server/process/exit_codes.h"

namespace edgemoe {

// What beside the arguments says how the daemon runs.
struct StartEnvironment {
  std::string socket;  // $EDGEMOE_SOCKET, as the client reads it; empty: not set
  // Where the configuration file is without --config: the first that exists, or whose folder of
  // drop-ins does.
  std::vector<std::string> config_paths;

  // Of a process of that user: config_paths are edgemoe/edgemoed.json in $XDG_CONFIG_HOME or
  // $HOME/.config (not of root), in etc beside the bin in which `program` lies, and in /etc.
  static StartEnvironment OfProcess(unsigned uid, const std::string& program);
};

struct CommandLine {
  enum class Action { kRun, kCheck, kPrint, kExit };
  Action action = Action::kExit;
  // kExit: what to print (to stdout when the code is kOk, else to stderr) and the exit code.
  std::string text;
  ExitCode exit_code = ExitCode::kOk;
  // The values of the file and of its drop-ins, overridden by EDGEMOE_SOCKET and then by the flags;
  // in kExit, as far as they could be read.
  Config config;
  std::vector<std::string> config_files;  // that were read, in order
};

CommandLine ParseCommandLine(int argc, const char* const* argv,
                             const StartEnvironment& environment = {});

}  // namespace edgemoe
