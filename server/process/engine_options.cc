// SPDX-License-Identifier: Apache-2.0
#include "server/process/engine_options.h"

#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

namespace edgemoe {
namespace {

struct OptionName {
  std::string_view option;  // in EngineOptions
  const char* key;          // in the configuration
};
constexpr OptionName kNames[] = {
    {"model_path", "model.path"},
    {"model_name", "model.name"},
    {"memory_budget_bytes", "memory.budget"},
    {"expert_budget_bytes", "memory.expert_budget"},
    {"idle_shrink_after_s", "memory.idle_shrink_after_s"},
    {"state_directory", "state.directory"},
    {"context_tokens", "context_tokens"},
    {"sessions_max", "sessions_max"},
    {"queue_max", "queue_max"},
    {"prefill_chunk_tokens", "prefill_chunk_tokens"},
    {"threads", "threads"},
    {"io_backend", "io.backend"},
    {"io_depth", "io.depth"},
    {"io_faults", "io.faults"},
    {"eviction_policy", "experts.eviction"},
    {"predictor", "experts.predictor"},
    {"kernels", "kernels"},
    {"stall_timeout_ms", "stream.stall_timeout_ms"},
};

}  // namespace

std::string StateDirectory(const Config& config, const char* environment) {
  if (!config.state.directory.empty() || environment == nullptr) return config.state.directory;
  const std::string_view directories = environment;
  return std::string(directories.substr(0, directories.find(':')));
}

bool MemoryAdapts(const Config& config) {
  return config.memory.adapt == "on" ||
         (config.memory.adapt == "auto" && config.memory.budget_bytes == 0);
}

EngineOptions ToEngineOptions(const Config& config, LogSink log) {
  EngineOptions options;
  options.model_path = config.model.path;
  options.model_name = config.model.name;
  options.memory_budget_bytes = config.memory.budget_bytes;
  options.expert_budget_bytes = config.memory.expert_budget_bytes;
  options.idle_shrink_after_s = config.memory.idle_shrink_after_s;
  options.state_directory = StateDirectory(config, std::getenv("STATE_DIRECTORY"));
  options.context_tokens = config.context_tokens;
  options.sessions_max = config.sessions_max;
  options.queue_max = config.queue_max;
  options.prefill_chunk_tokens = config.prefill_chunk_tokens;
  options.threads = config.threads;
  options.io_backend = config.io.backend;
  options.io_depth = config.io.depth;
  options.io_faults = config.io.faults;
  options.eviction_policy = config.experts.eviction;
  options.predictor = config.experts.predictor;
  options.kernels = config.kernels;
  options.stall_timeout_ms = config.stream.stall_timeout_ms;
  options.log = std::move(log);
  return options;
}

OptionError InConfiguration(const Status& status) {
  for (const OptionName& name : kNames)
    if (name.option == status.field())
      return {.status = status.WithField(name.key), .is_option = true};
  return {.status = status, .is_option = false};
}

}  // namespace edgemoe
