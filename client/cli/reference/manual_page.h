// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "client/cli/reference/command_help.h"

namespace edgemoe::cli {

// What the manual page has beside the commands.
struct ManualTexts {
  std::string exit_codes;    // a paragraph
  std::string conversation;  // what may be typed in a chat, in lines that stay as they are
};

// The manual page edgemoe(1) in the language of man(7).
std::string ManualPage(const CommandHelp& program, const ManualTexts& texts);

}  // namespace edgemoe::cli
