// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client/client.h"
#include "tests/support/child_process.h"

namespace edgemoe {

// A daemon's jobs yield to everything else that runs on the machine.
constexpr std::chrono::minutes kJobPatience{15};

// An edgemoed of its own for a test, on a unix socket, with the demo's model unless a flag says
// otherwise. Killed by the destructor.
class DaemonProcess {
 public:
  using Environment = std::vector<std::pair<std::string, std::string>>;

  DaemonProcess(std::string socket, const std::vector<std::string>& flags,
                const Environment& environment = {});

  // Whether it says within kPatience that it serves requests.
  bool WaitReady() { return process_.WaitForErrors("serving "); }

  // SIGTERM; the exit code, as ChildProcess::Wait.
  std::optional<int> Stop(std::chrono::seconds patience = kPatience);

  ChildProcess& process() { return process_; }
  const std::string& socket() const { return socket_; }
  // A new connection. The daemon must listen.
  client::Client Connect() const;
  // What it logged.
  std::string log() { return process_.errors() + process_.output(); }

 private:
  std::string socket_;
  ChildProcess process_;
};

}  // namespace edgemoe
