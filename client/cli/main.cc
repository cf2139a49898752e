// SPDX-License-Identifier: Apache-2.0
#include <variant>

#include "client/cli/command_line.h"
#include "client/cli/commands/commands.h"

int main(int argc, char** argv) {
  using namespace edgemoe::cli;
  auto parsed = ParseCommandLine(argc, argv);
  if (const ExitCode* code = std::get_if<ExitCode>(&parsed)) return static_cast<int>(*code);
  auto& line = std::get<CommandLine>(parsed);
  const ExitCode code =
      std::visit([&](auto& command) { return Run(line.common, std::move(command)); }, line.command);
  return static_cast<int>(code);
}
