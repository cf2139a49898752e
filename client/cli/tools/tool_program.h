// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "client/cli/terminal/interrupts.h"
#include "client/status.h"

namespace edgemoe::cli {

// Runs a program with `input` on its standard input and gives what it writes to its standard
// output, as UTF-8, with its exit status where that is not 0; what is beyond
// kProgramOutputBytesMax is cut off. Its errors go to ours. Errors are those of RunProgram.
client::Result<std::string> RunToolProgram(const std::vector<std::string>& command,
                                           const std::string& input, Interrupts& interrupts);

}  // namespace edgemoe::cli
