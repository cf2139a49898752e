// SPDX-License-Identifier: Apache-2.0
//
// models add, models rm.
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <iostream>
#include <string>
#include <system_error>

#include "client/cli/commands/commands.h"
#include "client/cli/json.h"
#include "client/cli/terminal/size_text.h"

namespace edgemoe::cli {
namespace {

// Asks on the terminal; only "y" and "yes" are one.
bool Confirm(const std::string& question) {
  std::fprintf(stderr, "%s [y/N] ", WithoutControls(question).c_str());
  std::string answer;
  return std::getline(std::cin, answer) && (answer == "y" || answer == "yes");
}

}  // namespace

ExitCode Run(const CommonOptions& options, const AddModelCommand& command) {
  // The daemon has a working folder of its own.
  std::error_code error;
  std::filesystem::path path = std::filesystem::absolute(command.path, error);
  if (error) path = command.path;
  Session session(options);
  if (const client::Status status = session.Connect(); !status.ok()) return session.Fail(status);
  const auto model =
      session.Retry([&] { return session.client().AddModel(path.lexically_normal().string()); });
  if (!model) return session.Fail(model.error());
  return options.json ? WriteLine(ToJson(*model))
                      : WriteLine(model->name() + ": " + SizeText(model->file_bytes()) + ", " +
                                  model->path());
}

ExitCode Run(const CommonOptions& options, const RemoveModelCommand& command) {
  Session session(options);
  if (const client::Status status = session.Connect(); !status.ok()) return session.Fail(status);
  if (!command.yes) {
    if (::isatty(STDIN_FILENO) == 0 || ::isatty(STDERR_FILENO) == 0) {
      const client::Status status{client::StatusCode::kInvalidArgument,
                                  "there is no terminal to ask on: --yes removes " + command.name};
      (void)ReportError(status, options.json);
      return ExitCode::kUsage;
    }
    const auto model = session.Retry([&] { return session.client().GetModel(command.name); });
    if (!model) return session.Fail(model.error());
    if (!Confirm("Remove " + model->name() + ", " + SizeText(model->file_bytes()) + ", " +
                 model->path() + "?"))
      return WriteLine("nothing was removed");
  }
  const auto removed = session.Retry([&] { return session.client().RemoveModel(command.name); });
  if (!removed) return session.Fail(removed.error());
  if (options.json) return WriteLine(ToJson(*removed));
  std::string text;
  for (const std::string& path : removed->paths()) text += "removed " + path + "\n";
  return Write(text + SizeText(removed->bytes()) + " are free again\n");
}

}  // namespace edgemoe::cli
