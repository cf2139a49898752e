// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "server/process/config.h"

namespace edgemoe {

// What a running daemon makes of a configuration that was read again.
struct Reload {
  Config config;          // the running one, with the new values of the keys that reload
  std::string taken;      // their names, as in "log.level, memory.budget"; empty: none changed
  std::string postponed;  // changed keys that only the next start takes over
};
Reload PlanReload(const Config& running, const Config& wanted);

}  // namespace edgemoe
