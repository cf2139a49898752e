// SPDX-License-Identifier: Apache-2.0
//
// Completions for shells: commands, options, and names of files where an option takes one.
#pragma once

#include <string>

#include "client/cli/reference/command_help.h"

namespace edgemoe::cli {

// Each is the whole file that the shell reads.
std::string BashCompletion(const CommandHelp& program);
std::string ZshCompletion(const CommandHelp& program);
std::string FishCompletion(const CommandHelp& program);

}  // namespace edgemoe::cli
