// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "client/cli/reference/command_help.h"

namespace edgemoe::cli {

// The manual page edgemoe(1) in the language of man(7). `exit_codes`: a paragraph that tells them.
std::string ManualPage(const CommandHelp& program, const std::string& exit_codes);

}  // namespace edgemoe::cli
