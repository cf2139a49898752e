// SPDX-License-Identifier: Apache-2.0
//
// Other programs that the client runs, without a shell.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client/cli/terminal/interrupts.h"
#include "client/status.h"

namespace edgemoe::cli {

constexpr std::size_t kProgramOutputBytesMax = std::size_t{1} << 20;

struct ProgramOptions {
  std::string input{};        // on its standard input
  bool takes_errors = false;  // its errors are part of the output; else they go to ours
  // Set beside our own environment.
  std::vector<std::pair<std::string, std::string>> environment{};
  std::optional<std::chrono::milliseconds> time_max{};
};

struct ProgramEnd {
  std::string output;
  bool cut = false;  // what was beyond kProgramOutputBytesMax is not there
  int status = 0;    // as waitpid gives it
};

// Runs `command`, its first word as the shell would find it, in a process group of its own. Ctrl-C
// ends it: CANCELLED; so does `time_max`: DEADLINE_EXCEEDED. NOT_FOUND, PERMISSION_DENIED or
// UNAVAILABLE when it cannot be started.
client::Result<ProgramEnd> RunProgram(const std::vector<std::string>& command,
                                      const ProgramOptions& options, Interrupts& interrupts);

// Where the program that runs lies, with a slash at the end; programs of the same build lie beside
// it or in a neighbour folder. Empty where that is not known.
std::string OwnDirectory();

}  // namespace edgemoe::cli
