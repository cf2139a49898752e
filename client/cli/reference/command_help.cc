// SPDX-License-Identifier: Apache-2.0
#include "client/cli/reference/command_help.h"

#include <CLI/CLI.hpp>
#include <utility>

namespace edgemoe::cli {
namespace {

OptionHelp Describe(const CLI::Option& option) {
  OptionHelp help;
  for (const std::string& name : option.get_snames()) help.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) help.names.push_back("--" + name);
  const bool takes_value = option.get_items_expected_max() > 0;
  if (takes_value) help.value = option.get_type_name();
  help.is_file = help.value == "FILE" || option.get_single_name() == "file";
  if (help.names.empty()) help.value = option.get_single_name();
  help.text = option.get_description();
  return help;
}

}  // namespace

CommandHelp DescribeCommands(const CLI::App& app) {
  CommandHelp command{
      .name = app.get_name(), .text = app.get_description(), .options = {}, .commands = {}};
  for (const CLI::Option* option : app.get_options()) command.options.push_back(Describe(*option));
  for (const CLI::App* below : app.get_subcommands([](const CLI::App*) { return true; }))
    command.commands.push_back(DescribeCommands(*below));
  return command;
}

}  // namespace edgemoe::cli
