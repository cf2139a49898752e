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
// `has_model`: one is loaded; without one, what models are loaded with is taken over, too.
Reload PlanReload(const Config& running, const Config& wanted, bool has_model);

}  // namespace edgemoe
