// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "engine/engine.h"
#include "engine/options.h"
#include "server/process/config.h"

namespace edgemoe {

// What the engine is opened with.
EngineOptions ToEngineOptions(const Config& config, LogSink log);

// Where the next start finds what this run has learnt: as configured, else the first directory of
// `environment`, the value of $STATE_DIRECTORY; null: not set.
std::string StateDirectory(const Config& config, const char* environment);

// Whether the memory budget is to follow what the machine has to give.
bool MemoryAdapts(const Config& config);

// An error about one of the options, by its key of the configuration: "memory_budget_bytes: found"
// becomes "memory.budget: found". `is_option` says whether it was one.
struct OptionError {
  Status status;
  bool is_option = false;
};
OptionError WithConfigKey(const Status& status);

}  // namespace edgemoe
