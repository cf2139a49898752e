// SPDX-License-Identifier: Apache-2.0
//
// A word in the place of a command that is none, and the command that was meant.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace edgemoe::cli {

// What to say of such a word after parsing has failed; empty where no word is there.
std::string UnknownCommand(const CLI::App& root);

}  // namespace edgemoe::cli
