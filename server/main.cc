// SPDX-License-Identifier: Apache-2.0
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "server/memory/heap.h"
#include "server/process/daemon.h"
#include "server/process/flags.h"
#include "server/process/log.h"

int main(int argc, char** argv) {
  using edgemoe::ExitCode;
  const edgemoe::CommandLine line = edgemoe::ParseCommandLine(argc, argv);
  if (line.action == edgemoe::CommandLine::Action::kExit) {
    std::fputs(line.text.c_str(), line.exit_code == ExitCode::kOk ? stdout : stderr);
    return static_cast<int>(line.exit_code);
  }
  std::signal(SIGPIPE, SIG_IGN);
  edgemoe::BoundHeap();
  edgemoe::Log log(line.config.log);
  edgemoe::Daemon daemon(line.config, log.sink(), edgemoe::Engine::Open);
  const int code = static_cast<int>(daemon.Run());
  if (daemon.abandoned()) {
    log.Close();
    std::_Exit(code);
  }
  return code;
}
