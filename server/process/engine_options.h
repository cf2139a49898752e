// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "engine/engine.h"
#include "engine/options.h"
#include "server/process/config.h"

namespace edgemoe {

// What the engine is opened with: as configured, with the section of its model.
EngineOptions ToEngineOptions(const Config& config, LogSink log);
// The same for another file, whose model has the file's name.
EngineOptions OptionsOfFile(const Config& config, const std::string& model_path);

// Where the next start finds what this run has learnt: as configured, else the first directory of
// `environment`, the value of $STATE_DIRECTORY; null: not set.
std::string StateDirectory(const Config& config, const char* environment);

// Where models are kept: as configured, else the folder "models" there. Empty: nowhere.
std::string ModelsDirectory(const Config& config, const char* environment);

// Whether the memory budget is to follow what the machine has to give.
bool MemoryAdapts(const Config& config);

// An error of the engine in the words of the configuration: the field "memory_budget_bytes" becomes
// "memory.budget". `is_option` says whether the error was about an option at all.
struct OptionError {
  Status status;
  bool is_option = false;
};
OptionError InConfiguration(const Status& status);

}  // namespace edgemoe
