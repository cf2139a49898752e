// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <filesystem>
#include <system_error>

#include "client/cli/commands/commands.h"
#include "client/cli/doctor/doctor.h"

namespace edgemoe::cli {

ExitCode Run(const CommonOptions& options, const DoctorCommand& command) {
  constexpr std::size_t kColumns = 100;
  Session session(options);
  DaemonAnswers daemon;
  if (const client::Status status = session.Connect(); status.ok()) {
    session.status_line().Show("asking the daemon, which may measure the storage first");
    daemon = AskDaemon(session.client());
    session.status_line().Clear();
  } else if (session.interrupted() || status.code != client::StatusCode::kUnavailable) {
    return session.Fail(status);
  } else {
    daemon.connected = status;
  }
  std::string path = command.path;
  if (!path.empty()) {
    std::error_code error;
    const auto real = std::filesystem::canonical(path, error);
    if (error)
      return session.Fail({client::StatusCode::kNotFound,
                           "path: found " + path + ": " + error.message() +
                               "; a model's file or a folder for models is accepted"});
    path = real.string();
  }
  const Machine machine("", AskSystem(), SystemCalls::Real(session.interrupts()));
  const Findings findings = Examine(machine, daemon, path);
  const ExitCode written =
      options.json ? WriteLine(FindingsJson(findings)) : Write(FindingsText(findings, kColumns));
  return written == ExitCode::kOk && HasProblem(findings) ? ExitCode::kProblemFound : written;
}

}  // namespace edgemoe::cli
