// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

#include "server/memory/heap.h"
#include "server/process/config_file.h"
#include "server/process/daemon.h"
#include "server/process/flags.h"
#include "server/process/log.h"
#include "server/process/start_check.h"

namespace {

using edgemoe::CommandLine;
using edgemoe::ExitCode;

int PrintAndExit(const CommandLine& line) {
  std::fputs(line.text.c_str(), line.exit_code == ExitCode::kOk ? stdout : stderr);
  return static_cast<int>(line.exit_code);
}

// --check-config and --print-config.
int Check(const CommandLine& line) {
  const edgemoe::StartCheck check = CheckStart(line.config, edgemoe::Engine::Check);
  for (const edgemoe::StartProblem& problem : check.problems)
    std::fprintf(stderr, "%s\n", problem.message.c_str());
  if (line.action == CommandLine::Action::kPrint) {
    std::fputs(FormatConfigJson(check.in_force).c_str(), stdout);
    return 0;
  }
  return static_cast<int>(check.problems.empty() ? ExitCode::kOk
                                                 : check.problems.front().exit_code);
}

// `read_line`: reads the command line and the configuration again.
template <class ReadLine>
int Run(const CommandLine& line, const ReadLine& read_line) {
  std::signal(SIGPIPE, SIG_IGN);
  edgemoe::BoundHeap();
  edgemoe::Log log(line.config.log);
  for (const std::string& path : line.config_files)
    log.sink()(edgemoe::LogLevel::kInfo, "configuration: " + path);
  edgemoe::Daemon daemon(line.config,
                         {.log = log.sink(),
                          .open_engine = edgemoe::Engine::Open,
                          .read_config = [&]() -> edgemoe::Result<edgemoe::Config> {
                            const CommandLine again = read_line();
                            if (again.action == CommandLine::Action::kRun) return again.config;
                            return edgemoe::Failure(edgemoe::InvalidArgumentError(again.text));
                          },
                          .set_log_level = [&](const std::string& level) { log.SetLevel(level); }});
  const int code = static_cast<int>(line.action == CommandLine::Action::kRun
                                        ? daemon.Run()
                                        : daemon.RunRefusing({line.text, line.exit_code}));
  if (daemon.abandoned()) {
    log.Close();
    std::_Exit(code);
  }
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  std::error_code ignored;
  const std::string program = std::filesystem::read_symlink("/proc/self/exe", ignored).string();
  const auto read_line = [&] {
    return edgemoe::ParseCommandLine(argc, argv,
                                     edgemoe::StartEnvironment::OfProcess(::geteuid(), program));
  };
  const CommandLine line = read_line();
  switch (line.action) {
    case CommandLine::Action::kRun: return Run(line, read_line);
    case CommandLine::Action::kCheck:
    case CommandLine::Action::kPrint: return Check(line);
    case CommandLine::Action::kExit: break;
  }
  if (line.exit_code != ExitCode::kOk && edgemoe::IsSocketActivated()) return Run(line, read_line);
  return PrintAndExit(line);
}
