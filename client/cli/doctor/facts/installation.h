// SPDX-License-Identifier: Apache-2.0
//
// How the daemon is installed here: its service, its configuration.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "client/cli/doctor/facts/machine.h"

namespace edgemoe::cli {

// edgemoed.service, as systemd has it loaded.
struct ServiceUnit {
  std::string active_state;  // "active", "inactive", "failed", "activating"
  std::string file_state;    // "enabled", "disabled", …
  std::string result;        // "success", "exit-code", …
  // LimitMEMLOCK; nothing: no limit, or unknown.
  std::optional<std::uint64_t> memlock_bytes{};
  std::vector<std::string> command;  // how it starts the daemon; empty: unknown
};

struct Installation {
  bool has_systemd = false;
  std::optional<ServiceUnit> unit;
  bool has_program = false;  // edgemoed can be run
  // What `edgemoed --check-config` complains of, with the unit's flags; empty: nothing, or it was
  // not asked. `check_code` is its exit code.
  std::string complaint;
  int check_code = 0;
  bool checked = false;
  // Of the configuration in force; empty: not set, or unknown.
  std::string model_path;
  std::string models_directory;
};

Installation LookForInstallation(const Machine& machine);

// Of `systemctl show`; nothing: there is no such unit.
std::optional<ServiceUnit> ParseServiceUnit(const std::string& text);

}  // namespace edgemoe::cli
