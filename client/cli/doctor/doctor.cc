// SPDX-License-Identifier: Apache-2.0
#include "client/cli/doctor/doctor.h"

#include <utility>

#include "client/cli/doctor/checks/checks.h"

namespace edgemoe::cli {
namespace {

std::string ChoosePath(const Machine& machine, const DaemonAnswers& daemon,
                       const Installation& installation) {
  if (daemon.model && !daemon.model->path().empty()) return daemon.model->path();
  // A model may also be named, instead of by its path.
  if (installation.model_path.starts_with('/')) return installation.model_path;
  if (!installation.models_directory.empty()) return installation.models_directory;
  for (const char* const folder : {"/var/lib/edgemoe/models", "/var/lib/edgemoe"})
    if (machine.Exists(folder)) return folder;
  return "";
}

}  // namespace

Findings Examine(const Machine& machine, const DaemonAnswers& daemon,
                 const std::string& model_path) {
  const Installation installation = LookForInstallation(machine);
  const Board board = IdentifyBoard(machine);
  ModelPlace place;
  place.path = model_path.empty() ? ChoosePath(machine, daemon, installation) : model_path;
  if (!place.path.empty()) place.mount = MountOf(machine, place.path);
  if (place.mount) place.disks = DisksUnder(machine, *place.mount);
  const Case known{.machine = machine,
                   .daemon = daemon,
                   .installation = installation,
                   .board = board,
                   .place = place};
  Findings findings;
  for (const auto check : {CheckMachine, CheckKernel, CheckMemory, CheckStorage, CheckSwap,
                           CheckPower, CheckBoard, CheckDaemon})
    check(known, findings);
  return findings;
}

}  // namespace edgemoe::cli
