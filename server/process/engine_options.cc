// SPDX-License-Identifier: Apache-2.0
#include "server/process/engine_options.h"

#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "engine/model_name.h"

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
  const EngineOptions& engine = config.engine;
  EngineOptions options =
      WithSection(config, engine.model_name.empty() ? ModelNameFromPath(engine.model_path)
                                                    : engine.model_name)
          .engine;
  options.state_directory = StateDirectory(config, std::getenv("STATE_DIRECTORY"));
  options.log = std::move(log);
  return options;
}

EngineOptions OptionsOfFile(const Config& config, const std::string& model_path) {
  if (model_path == config.engine.model_path) return ToEngineOptions(config, {});
  Config other = config;
  other.engine.model_path = model_path;
  other.engine.model_name.clear();
  return ToEngineOptions(other, {});
}

OptionError InConfiguration(const Status& status) {
  const ConfigKey* const key = FindKeyOfOption(status.field());
  if (key == nullptr) return {.status = status, .is_option = false};
  return {.status = status.WithField(key->path), .is_option = true};
}

}  // namespace edgemoe
