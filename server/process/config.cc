// SPDX-License-Identifier: Apache-2.0
#include "server/process/config.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "engine/base/accepted.h"
#include "engine/base/byte_size.h"

namespace edgemoe {
namespace {

constexpr std::size_t kSocketPathMax = 107;  // sockaddr_un.sun_path less its NUL
constexpr const char* kIoBackends[] = {"auto", "io_uring", "pread"};
constexpr const char* kEvictions[] = {"lfru", "lru", "lfu", "edgemoe"};
constexpr const char* kPredictors[] = {"router", "path", "none"};
constexpr const char* kKernels[] = {"auto", "ref", "avx2", "avx512", "neon"};
constexpr const char* kSwitch[] = {"auto", "on", "off"};
constexpr const char* kLogLevels[] = {"debug", "info", "warning", "error"};
constexpr const char* kLogTargets[] = {"auto", "stderr", "journal"};

Status CheckSocketPath(std::string_view text) {
  if (text.empty()) return OkStatus();
  if (text.front() != '/')
    return NotAccepted("the relative path " + ShowValue(text), "an absolute path");
  if (text.size() > kSocketPathMax)
    return NotAccepted("a path of " + ShowValue(text.size()) + " bytes",
                       AcceptedAtMost(kSocketPathMax));
  return OkStatus();
}

Status CheckTcp(std::string_view text) {
  if (text.empty()) return OkStatus();
  auto address = ParseTcpAddress(text);
  return address ? OkStatus() : address.error();
}

const ConfigKey kKeys[] = {
    {"listen.unix_socket", "--socket", "text: an absolute path of at most 107 bytes, or empty",
     "Unix socket. Empty: edgemoed.sock in $RUNTIME_DIRECTORY, else in /run/edgemoe (as root), "
     "else "
     "in $XDG_RUNTIME_DIR/edgemoe.",
     TextField{[](Config& c) -> std::string& { return c.listen.unix_socket; }, CheckSocketPath}},
    {"listen.tcp", "--tcp",
     "text: 127.0.0.1:PORT, [::1]:PORT or localhost:PORT with PORT in [1, 65535], or empty",
     "TCP beside the unix socket, without encryption and open to every local user. Empty: none. "
     "Addresses beyond loopback are refused.",
     TextField{[](Config& c) -> std::string& { return c.listen.tcp; }, CheckTcp}},
    {"listen.socket_mode", "--socket-mode", "text: octal, in [\"0600\", \"0777\"]",
     "Permissions of the unix socket.",
     ModeField{[](Config& c) -> std::uint32_t& { return c.listen.socket_mode; }}},
    {"listen.allow_users", "--allow-users", "list of up to 64 user names or ids",
     "Who may connect to the unix socket beside root and the daemon's own user.",
     NamesField{[](Config& c) -> std::vector<std::string>& { return c.listen.allow_users; }}},
    {"listen.allow_groups", "--allow-groups", "list of up to 64 group names or ids",
     "Groups whose members may connect to the unix socket.",
     NamesField{[](Config& c) -> std::vector<std::string>& { return c.listen.allow_groups; }}},
    {"listen.connections_max", "--connections-max", "connections, in [1, 4096]",
     "Open connections to the unix socket; a further one is closed at once.",
     CountField{[](Config& c) -> std::uint32_t& { return c.listen.connections_max; }, 1, 4096}},
    {"model.path", "--model", "text: a path; required to run",
     "The GGUF file to serve; of a split model the first part.",
     TextField{[](Config& c) -> std::string& { return c.model.path; }, nullptr}},
    {"model.name", "--model-name", "text",
     "What requests call the model. Empty: the file's name without .gguf.",
     TextField{[](Config& c) -> std::string& { return c.model.name; }, nullptr}},
    {"models.directory", "--models-directory", "text: a path, or empty",
     "Directory whose GGUF files Models.List shows. Empty: only the loaded model.",
     TextField{[](Config& c) -> std::string& { return c.models.directory; }, nullptr}},
    {"memory.budget", "--memory-budget",
     "\"auto\" or bytes as in \"1200MiB\", \"1.5GiB\", 1258291200",
     "Memory for everything: dense weights, KV blocks, workspace and experts. auto: three quarters "
     "of usable memory, at most what the whole model needs.",
     SizeField{[](Config& c) -> std::uint64_t& { return c.memory.budget_bytes; }}},
    {"memory.expert_budget", "--expert-budget", "\"auto\" or bytes as above",
     "At most so much of the budget for experts. auto: all that the rest leaves.",
     SizeField{[](Config& c) -> std::uint64_t& { return c.memory.expert_budget_bytes; }}},
    {"memory.adapt", "--memory-adapt", "\"auto\", \"on\" or \"off\"",
     "Whether the budget follows what the machine has to give: less when a cgroup limit falls or "
     "memory is short, back when it no longer is. auto: where memory.budget is auto.",
     ChoiceField{[](Config& c) -> std::string& { return c.memory.adapt; }, kSwitch}},
    {"memory.idle_shrink_after_s", "--idle-shrink-after-s", "seconds, in [0, 2592000]",
     "After so long without a request the experts' memory shrinks to its least, until the next "
     "request, which then reads experts anew. 0: never, for a fast first token; memory that others "
     "need is given back all the same with memory.adapt.",
     CountField{[](Config& c) -> std::uint32_t& { return c.memory.idle_shrink_after_s; }, 0,
                2'592'000}},
    {"state.directory", "--state-directory", "text: a path, or empty",
     "Directory for what the next start profits from: which experts were worth keeping, how fast "
     "the storage is. Empty: $STATE_DIRECTORY, as systemd sets it; without that nothing is kept.",
     TextField{[](Config& c) -> std::string& { return c.state.directory; }, nullptr}},
    {"context_tokens", "--context-tokens", "tokens, in [1, 1048576]",
     "The longest sequence, prompt and answer; at most the model's own context.",
     CountField{[](Config& c) -> std::uint32_t& { return c.context_tokens; }, 1, 1048576}},
    {"sessions_max", "--sessions-max", "requests, in [1, 64]", "Requests that run at once.",
     CountField{[](Config& c) -> std::uint32_t& { return c.sessions_max; }, 1, 64}},
    {"queue_max", "--queue-max", "requests, in [0, 4096]",
     "Requests that wait; a further one is refused with RESOURCE_EXHAUSTED.",
     CountField{[](Config& c) -> std::uint32_t& { return c.queue_max; }, 0, 4096}},
    {"prefill_chunk_tokens", "--prefill-chunk-tokens", "tokens, in [1, 512]",
     "Prompt tokens in one step. More is faster for the prompt and slower for those who wait.",
     CountField{[](Config& c) -> std::uint32_t& { return c.prefill_chunk_tokens; }, 1, 512}},
    {"threads", "--threads", "threads, in [0, 64]",
     "Computing threads. 0: one for each core that the daemon may use.",
     CountField{[](Config& c) -> std::uint32_t& { return c.threads; }, 0, 64}},
    {"io.backend", "--io-backend", "\"auto\", \"io_uring\" or \"pread\"",
     "How experts are read. auto: io_uring where the system has it, else pread.",
     ChoiceField{[](Config& c) -> std::string& { return c.io.backend; }, kIoBackends}},
    {"io.depth", "--io-depth", "reads, in [0, 1024]",
     "Reads in flight. 0: by a probe of the storage, a second once; 32 for models of little size.",
     CountField{[](Config& c) -> std::uint32_t& { return c.io.depth; }, 0, 1024}},
    {"io.faults", "--io-faults",
     "text: eio:after=N, eio:after=N,count=M, eio:layer=L,expert=E, short:every=N or slow:ms=N, "
     "busy "
     "and eof with what eio has, several separated by ;, or empty",
     "Makes reads fail, for tests of what happens then. Empty: none.",
     TextField{[](Config& c) -> std::string& { return c.io.faults; }, nullptr}},
    {"experts.eviction", "--eviction", "\"lfru\", \"lru\", \"lfu\" or \"edgemoe\"",
     "Which expert gives way when memory is full. lfru: frequency and recency; edgemoe: as in the "
     "paper of that name.",
     ChoiceField{[](Config& c) -> std::string& { return c.experts.eviction; }, kEvictions}},
    {"experts.predictor", "--predictor", "\"router\", \"path\" or \"none\"",
     "Which experts of the next layer are read ahead. router: those that the next layer's own "
     "router "
     "names too early; path: those that followed the last two layers' experts so far.",
     ChoiceField{[](Config& c) -> std::string& { return c.experts.predictor; }, kPredictors}},
    {"kernels", "--kernels", "\"auto\", \"ref\", \"avx2\", \"avx512\" or \"neon\"",
     "Which computing kernels. auto: the fastest that this processor has.",
     ChoiceField{[](Config& c) -> std::string& { return c.kernels; }, kKernels}},
    {"stream.stall_timeout_ms", "--stall-timeout-ms", "milliseconds, in [100, 3600000]",
     "A stream whose client takes nothing for so long is ended.",
     CountField{[](Config& c) -> std::uint32_t& { return c.stream.stall_timeout_ms; }, 100,
                3'600'000}},
    {"drain_timeout_ms", "--drain-timeout-ms", "milliseconds, in [0, 3600000]",
     "After SIGTERM running requests may go on for so long; then they are cancelled.",
     CountField{[](Config& c) -> std::uint32_t& { return c.drain_timeout_ms; }, 0, 3'600'000}},
    {"log.level", "--log-level", "\"debug\", \"info\", \"warning\" or \"error\"",
     "The least severe lines that are logged.",
     ChoiceField{[](Config& c) -> std::string& { return c.log.level; }, kLogLevels}},
    {"log.target", "--log-target", "\"auto\", \"stderr\" or \"journal\"",
     "Where lines go. auto: the journal when started by systemd, else stderr.",
     ChoiceField{[](Config& c) -> std::string& { return c.log.target; }, kLogTargets}},
};

std::string Found(const ConfigValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return ShowValue(*text);
  if (const auto* count = std::get_if<std::uint64_t>(&value)) return std::to_string(*count);
  if (const auto* list = std::get_if<std::vector<std::string>>(&value))
    return "a list of " + std::to_string(list->size());
  return std::get<OtherValue>(value).text;
}

// What `Set` gives for a value that the field does not take.
Status Refused(const ConfigKey& key, const ConfigValue& value) {
  return NotAccepted(Found(value), key.accepts);
}

// Only 0-9, all of the text.
std::optional<std::uint64_t> ParseDigits(std::string_view text, int base) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Status Set(const ConfigKey& key, const TextField& field, const ConfigValue& value, Config& config) {
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr) return Refused(key, value);
  if (text->size() > kTextMax)
    return NotAccepted("a text of " + ShowValue(text->size()) + " bytes", AcceptedAtMost(kTextMax));
  if (text->find('\0') != std::string::npos)
    return NotAccepted("a NUL character", "text without one");
  if (field.check != nullptr) EDGEMOE_RETURN_IF_ERROR(field.check(*text));
  field.at(config) = *text;
  return OkStatus();
}

Status Set(const ConfigKey& key, const ChoiceField& field, const ConfigValue& value,
           Config& config) {
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr || std::ranges::find(field.choices, *text) == field.choices.end())
    return Refused(key, value);
  field.at(config) = *text;
  return OkStatus();
}

Status Set(const ConfigKey& key, const CountField& field, const ConfigValue& value,
           Config& config) {
  const auto* count = std::get_if<std::uint64_t>(&value);
  if (count == nullptr || *count < field.min || *count > field.max) return Refused(key, value);
  field.at(config) = static_cast<std::uint32_t>(*count);
  return OkStatus();
}

Status Set(const ConfigKey& key, const SizeField& field, const ConfigValue& value, Config& config) {
  std::uint64_t bytes = 0;
  if (const auto* count = std::get_if<std::uint64_t>(&value)) {
    if (*count == 0) return Refused(key, value);
    bytes = *count;
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    if (*text != "auto") {
      const auto parsed = ParseByteSize(*text);
      if (!parsed || *parsed == 0) return Refused(key, value);
      bytes = *parsed;
    }
  } else {
    return Refused(key, value);
  }
  field.at(config) = bytes;
  return OkStatus();
}

Status Set(const ConfigKey& key, const ModeField& field, const ConfigValue& value, Config& config) {
  const auto* text = std::get_if<std::string>(&value);
  const auto mode = text == nullptr ? std::nullopt : ParseDigits(*text, 8);
  if (!mode || *mode < 0600 || *mode > 0777) return Refused(key, value);
  field.at(config) = static_cast<std::uint32_t>(*mode);
  return OkStatus();
}

Status Set(const ConfigKey& key, const NamesField& field, const ConfigValue& value,
           Config& config) {
  const auto* names = std::get_if<std::vector<std::string>>(&value);
  if (names == nullptr || names->size() > kNamesMax) return Refused(key, value);
  for (const std::string& name : *names) {
    if (name.empty() || name.size() > kTextMax || name.find('\0') != std::string::npos)
      return NotAccepted("the element " + ShowValue(name), key.accepts);
  }
  field.at(config) = *names;
  return OkStatus();
}

std::vector<std::string> SplitCommas(const std::string& text) {
  std::vector<std::string> parts;
  if (text.empty()) return parts;
  std::size_t begin = 0;
  while (true) {
    const std::size_t comma = text.find(',', begin);
    parts.push_back(text.substr(begin, comma - begin));
    if (comma == std::string::npos) return parts;
    begin = comma + 1;
  }
}

std::string FormatMode(std::uint32_t mode) {
  std::string digits = "0000";
  for (std::size_t i = 0; i < 4; ++i)
    digits[3 - i] = static_cast<char>('0' + ((mode >> (3 * i)) & 7));
  return digits;
}

// Bytes in the largest unit that loses nothing, in a form that ParseByteSize takes.
std::string FormatExactSize(std::uint64_t bytes) {
  if (bytes == 0) return "auto";
  if (bytes % kGiB == 0) return std::to_string(bytes / kGiB) + "GiB";
  if (bytes % kMiB == 0) return std::to_string(bytes / kMiB) + "MiB";
  return std::to_string(bytes);
}

}  // namespace

std::span<const ConfigKey> ConfigKeys() { return kKeys; }

const ConfigKey* FindConfigKey(std::string_view path) {
  for (const ConfigKey& key : kKeys)
    if (key.path == path) return &key;
  return nullptr;
}

Status SetConfigValue(const ConfigKey& key, const ConfigValue& value, Config& config) {
  return std::visit([&](const auto& field) { return Set(key, field, value, config); }, key.field);
}

Status SetConfigValueFromText(const ConfigKey& key, const std::string& text, Config& config) {
  if (std::holds_alternative<CountField>(key.field)) {
    const auto count = ParseDigits(text, 10);
    return count ? SetConfigValue(key, *count, config) : Refused(key, text);
  }
  if (std::holds_alternative<NamesField>(key.field))
    return SetConfigValue(key, SplitCommas(text), config);
  return SetConfigValue(key, text, config);
}

std::string FormatConfigValue(const ConfigKey& key, const Config& config) {
  Config copy = config;  // fields give mutable references
  nlohmann::json value;
  if (const auto* count = std::get_if<CountField>(&key.field)) {
    value = count->at(copy);
  } else if (const auto* size = std::get_if<SizeField>(&key.field)) {
    value = FormatExactSize(size->at(copy));
  } else if (const auto* mode = std::get_if<ModeField>(&key.field)) {
    value = FormatMode(mode->at(copy));
  } else if (const auto* names = std::get_if<NamesField>(&key.field)) {
    value = names->at(copy);
  } else if (const auto* choice = std::get_if<ChoiceField>(&key.field)) {
    value = choice->at(copy);
  } else {
    value = std::get<TextField>(key.field).at(copy);
  }
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<TcpAddress> ParseTcpAddress(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  const auto port =
      colon == std::string_view::npos ? std::nullopt : ParseDigits(text.substr(colon + 1), 10);
  if (!port || *port == 0 || *port > std::numeric_limits<std::uint16_t>::max())
    return Failure(NotAccepted(ShowValue(text), "HOST:PORT with PORT in [1, 65535]"));
  const std::string_view host = text.substr(0, colon);
  if (host != "127.0.0.1" && host != "[::1]" && host != "localhost")
    return Failure(
        NotAccepted(ShowValue(text),
                    "127.0.0.1, [::1] or localhost; an address beyond loopback needs TLS and a "
                    "token, which are not supported yet"));
  return TcpAddress{.host = std::string(host), .port = static_cast<std::uint16_t>(*port)};
}

}  // namespace edgemoe
