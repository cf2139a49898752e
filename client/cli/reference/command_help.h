// SPDX-License-Identifier: Apache-2.0
//
// What the command line takes, as data: manual page and completions are written from it, so that
// they say what the parser does.
#pragma once

#include <CLI/App.hpp>
#include <string>
#include <vector>

namespace edgemoe::cli {

struct OptionHelp {
  std::vector<std::string> names;  // "-m", "--model"; none: a positional argument
  std::string value;               // what it takes: "FILE"; empty: nothing
  std::string text;
  bool is_file = false;  // its value is the name of a file
};

struct CommandHelp {
  std::string name;
  std::string text;
  std::vector<OptionHelp> options;
  std::vector<CommandHelp> commands;
};

// Of an application and of all commands below it, in the order in which they were added.
CommandHelp DescribeCommands(const CLI::App& app);

}  // namespace edgemoe::cli
