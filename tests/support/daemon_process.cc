// SPDX-License-Identifier: Apache-2.0
#include "tests/support/daemon_process.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>

namespace edgemoe {
namespace {

std::vector<std::string> Command(const std::string& socket, const std::vector<std::string>& flags) {
  std::vector<std::string> command = {EDGEMOED_PROGRAM, "--socket", socket, "--log-target",
                                      "stderr"};
  const auto has = [&flags](const char* flag) {
    return std::find(flags.begin(), flags.end(), flag) != flags.end();
  };
  // Nothing from this machine's configuration.
  if (!has("--config")) command.emplace_back("--config=");
  if (!has("--models-others")) command.insert(command.end(), {"--models-others", "off"});
  if (!has("--model")) {
    command.insert(command.end(), {"--model", EDGEMOE_SOURCE_DIR "/models/edgemoe-demo-q8_0.gguf"});
    command.insert(command.end(), {"--context-tokens", "512"});
  }
  command.insert(command.end(), flags.begin(), flags.end());
  return command;
}

ChildProcess::Options WithEnvironment(const DaemonProcess::Environment& environment) {
  ChildProcess::Options options;
  options.environment = environment;
  return options;
}

}  // namespace

DaemonProcess::DaemonProcess(std::string socket, const std::vector<std::string>& flags,
                             const Environment& environment)
    : socket_(std::move(socket)), process_(Command(socket_, flags), WithEnvironment(environment)) {}

std::optional<int> DaemonProcess::Stop(std::chrono::seconds patience) {
  process_.Signal(SIGTERM);
  return process_.Wait(patience);
}

client::Client DaemonProcess::Connect() const {
  auto client = client::Client::Connect(socket_);
  EXPECT_TRUE(client) << client.error().ToString();
  return std::move(*client);
}

}  // namespace edgemoe
