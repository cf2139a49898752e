// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/engine.h"
#include "server/config.h"

namespace edgemoe {

// What the engine is opened with.
EngineOptions ToEngineOptions(const Config& config, LogSink log);

// An error about one of the options, by its key of the configuration: "memory_budget_bytes: found"
// becomes "memory.budget: found". `is_option` says whether it was one.
struct OptionError {
  Status status;
  bool is_option = false;
};
OptionError WithConfigKey(const Status& status);

}  // namespace edgemoe
