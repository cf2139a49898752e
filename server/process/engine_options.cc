// SPDX-License-Identifier: Apache-2.0
#include "server/process/engine_options.h"

#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

namespace edgemoe {
std::string StateDirectory(const Config& config, const char* environment) {
  const std::string& configured = config.engine.state_directory;
  if (!configured.empty() || environment == nullptr) return configured;
  const std::string_view directories = environment;
  return std::string(directories.substr(0, directories.find(':')));
}

std::string ModelsDirectory(const Config& config, const char* environment) {
  if (!config.models.directory.empty() || environment == nullptr || *environment == '\0')
    return config.models.directory;
  const std::string_view directories = environment;
  return std::string(directories.substr(0, directories.find(':'))) + "/models";
}

bool MemoryAdapts(const Config& config) {
  return config.memory.adapt == "on" ||
         (config.memory.adapt == "auto" && config.engine.memory_budget_bytes == 0);
}

EngineOptions ToEngineOptions(const Config& config, LogSink log) {
  EngineOptions options = config.engine;
  options.state_directory = StateDirectory(config, std::getenv("STATE_DIRECTORY"));
  options.log = std::move(log);
  return options;
}

OptionError InConfiguration(const Status& status) {
  const ConfigKey* const key = FindKeyOfOption(status.field());
  if (key == nullptr) return {.status = status, .is_option = false};
  return {.status = status.WithField(key->path), .is_option = true};
}

}  // namespace edgemoe
