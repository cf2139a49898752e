// SPDX-License-Identifier: Apache-2.0
#include "server/engine_options.h"

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
    {"context_tokens", "context_tokens"},
    {"sessions_max", "sessions_max"},
    {"queue_max", "queue_max"},
    {"prefill_chunk_tokens", "prefill_chunk_tokens"},
    {"threads", "threads"},
    {"io_backend", "io.backend"},
    {"io_depth", "io.depth"},
    {"io_faults", "io.faults"},
    {"kernels", "kernels"},
    {"stall_timeout_ms", "stream.stall_timeout_ms"},
};

}  // namespace

EngineOptions ToEngineOptions(const Config& config, LogSink log) {
  EngineOptions options;
  options.model_path = config.model.path;
  options.model_name = config.model.name;
  options.memory_budget_bytes = config.memory.budget_bytes;
  options.expert_budget_bytes = config.memory.expert_budget_bytes;
  options.context_tokens = config.context_tokens;
  options.sessions_max = config.sessions_max;
  options.queue_max = config.queue_max;
  options.prefill_chunk_tokens = config.prefill_chunk_tokens;
  options.threads = config.threads;
  options.io_backend = config.io.backend;
  options.io_depth = config.io.depth;
  options.io_faults = config.io.faults;
  options.kernels = config.kernels;
  options.stall_timeout_ms = config.stream.stall_timeout_ms;
  options.log = std::move(log);
  return options;
}

OptionError WithConfigKey(const Status& status) {
  const std::string_view message = status.message();
  for (const OptionName& name : kNames) {
    const std::size_t length = name.option.size();
    if (message.size() <= length || message[length] != ':' ||
        message.substr(0, length) != name.option)
      continue;
    return {.status = {status.code(), name.key + status.message().substr(length)},
            .is_option = true};
  }
  return {.status = status, .is_option = false};
}

}  // namespace edgemoe
