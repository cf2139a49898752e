// SPDX-License-Identifier: Apache-2.0
#include "client/cli/setup/service.h"

#include "client/cli/tools/child_program.h"

namespace edgemoe::cli {
namespace {

std::vector<std::string> With(std::vector<std::string> command,
                              const std::vector<std::string>& words) {
  command.insert(command.end(), words.begin(), words.end());
  return command;
}

}  // namespace

std::vector<std::string> Systemctl(unsigned uid) {
  if (uid == 0) return {"systemctl"};
  return {"systemctl", "--user"};
}

bool ServiceIsActive(const std::vector<std::string>& systemctl, Interrupts& interrupts) {
  const auto end = RunProgram(With(systemctl, {"is-active", "--quiet", "edgemoed.service"}),
                              {.takes_errors = true}, interrupts);
  return end && end->status == 0;
}

client::Status TellService(const std::vector<std::string>& systemctl, const std::string& verb,
                           Interrupts& interrupts) {
  const auto end =
      RunProgram(With(systemctl, {verb, "edgemoed.service"}), {.takes_errors = true}, interrupts);
  if (!end) return end.error();
  if (end->status == 0) return client::Status();
  return {client::StatusCode::kFailedPrecondition,
          "systemctl " + verb + " edgemoed: " + end->output};
}

}  // namespace edgemoe::cli
