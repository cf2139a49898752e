// SPDX-License-Identifier: Apache-2.0
#include "server/process/config.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "engine/base/accepted.h"
#include "engine/base/byte_size.h"
#include "engine/base/check.h"
#include "engine/option_table.h"

namespace edgemoe {
namespace {

constexpr std::size_t kSocketPathMax = 107;  // sockaddr_un.sun_path less its NUL
constexpr std::string_view kSwitch[] = {"auto", "on", "off"};
constexpr std::string_view kOnOff[] = {"on", "off"};
constexpr std::string_view kLogLevels[] = {"debug", "info", "warning", "error"};
constexpr std::string_view kLogTargets[] = {"auto", "stderr", "journal"};

Status CheckSocketPath(const std::string& text) {
  if (text.empty()) return OkStatus();
  if (text.front() != '/')
    return NotAccepted("the relative path " + ShowValue(text), "an absolute path");
  if (text.size() > kSocketPathMax)
    return NotAccepted("a path of " + ShowValue(text.size()) + " bytes",
                       AcceptedAtMost(kSocketPathMax));
  return OkStatus();
}

Status CheckTcp(const std::string& text) {
  if (text.empty()) return OkStatus();
  auto address = ParseTcpAddress(text);
  return address ? OkStatus() : address.error();
}

// A key whose kind, range and meaning are those of an option of the engine.
ConfigKey OfEngine(const char* path, const char* flag, std::string_view name) {
  const EngineOption& option = EngineOptionNamed(name);
  const auto at = [](auto member) {
    return [member](Config& config) -> decltype(auto) { return (config.engine.*member); };
  };
  ConfigField field;
  if (const auto* text = std::get_if<TextOption>(&option.kind)) {
    field = TextField{at(text->at), text->check};
  } else if (const auto* choice = std::get_if<NameOption>(&option.kind)) {
    field = ChoiceField{at(choice->at), choice->names};
  } else if (const auto* count = std::get_if<CountOption>(&option.kind)) {
    field = CountField{at(count->at), count->least, count->most};
  } else if (const auto* number = std::get_if<NumberOption>(&option.kind)) {
    field = NumberField{at(number->at),
                        [kind = *number](double value) { return Accepts(kind, value); }};
  } else {
    field = SizeField{at(std::get<SizeOption>(option.kind).at)};
  }
  return {path,
          flag,
          option.accepts,
          std::string(option.meaning),
          std::move(field),
          option.name,
          TakenOver::kWithModel};
}

ConfigKey Reloads(ConfigKey key) {
  key.taken_over = TakenOver::kLive;
  return key;
}

ConfigKey WithModel(ConfigKey key) {
  key.taken_over = TakenOver::kWithModel;
  return key;
}

ConfigKey AtStart(ConfigKey key) {
  key.taken_over = TakenOver::kAtStart;
  return key;
}

ConfigKey OfModel(ConfigKey key) {
  key.of_model = true;
  return key;
}

std::vector<ConfigKey> ListenKeys() {
  return {
      {"listen.unix_socket", "--socket", "text: an absolute path of at most 107 bytes, or empty",
       "Unix socket. Empty: edgemoed.sock in $RUNTIME_DIRECTORY, else in /run/edgemoe (as root), "
       "else "
       "in $XDG_RUNTIME_DIR/edgemoe.",
       TextField{[](Config& c) -> std::string& { return c.listen.unix_socket; }, CheckSocketPath}},
      {"listen.tcp", "--tcp",
       "text: 127.0.0.1:PORT, [::1]:PORT or localhost:PORT with PORT in [1, 65535], or empty",
       "TCP beside the unix socket, without encryption and open to every local user, but not for "
       "administration. Empty: none. Addresses beyond loopback are refused.",
       TextField{[](Config& c) -> std::string& { return c.listen.tcp; }, CheckTcp}},
      {"listen.socket_mode", "--socket-mode", "text: octal, in [\"0600\", \"0777\"]",
       "Permissions of the unix socket.",
       ModeField{[](Config& c) -> std::uint32_t& { return c.listen.socket_mode; }}},
      Reloads({"listen.allow_users", "--allow-users", "list of up to 64 user names or ids",
               "Who may connect to the unix socket beside root and the daemon's own user. The flag "
               "adds to "
               "the file's list; an empty one empties it.",
               NamesField{
                   [](Config& c) -> std::vector<std::string>& { return c.listen.allow_users; }}}),
      Reloads({"listen.allow_groups", "--allow-groups", "list of up to 64 group names or ids",
               "Groups whose members may connect to the unix socket. The flag as above.",
               NamesField{
                   [](Config& c) -> std::vector<std::string>& { return c.listen.allow_groups; }}}),
      Reloads({"listen.admin_users", "--admin-users", "list of up to 64 user names or ids",
               "Who may also change memory, files and models, and end others' requests, beside "
               "root and the daemon's own user; said of a connection when it is made. The flag as "
               "above.",
               NamesField{
                   [](Config& c) -> std::vector<std::string>& { return c.listen.admin_users; }}}),
      Reloads({"listen.admin_groups", "--admin-groups", "list of up to 64 group names or ids",
               "Groups whose members may do so. The flag as above.",
               NamesField{
                   [](Config& c) -> std::vector<std::string>& { return c.listen.admin_groups; }}}),
      Reloads({"listen.connections_max", "--connections-max", "connections, in [1, 4096]",
               "Open connections to the unix socket; a further one is closed at once.",
               CountField{[](Config& c) -> std::uint32_t& { return c.listen.connections_max; }, 1,
                          4096}}),
      Reloads({"listen.idle_exit_s", "--idle-exit-s", "seconds, in [0, 86400]",
               "Where systemd listens (socket activation): the daemon ends when nobody was "
               "connected and no job ran for so long, and is started again by the next connection. "
               "0: never.",
               CountField{[](Config& c) -> std::uint32_t& { return c.listen.idle_exit_s; }, 0,
                          86'400}})};
}

std::vector<ConfigKey> ModelKeys() {
  return {
      OfEngine("model.path", "--model", "model_path"),
      OfEngine("model.name", "--model-name", "model_name"),
      {"models.directory", "--models-directory", "text: a path, or empty",
       "Directory of models: its GGUF files are shown, and downloads go there. Empty: models in "
       "$STATE_DIRECTORY, as systemd sets it; without that only the loaded model is shown.",
       TextField{[](Config& c) -> std::string& { return c.models.directory; }, nullptr}},
      {"models.download_socket", "--download-socket", "text: a path, or empty",
       "Where edgemoe-download is asked to download models. Where nothing is there: it is started "
       "as a child.",
       TextField{[](Config& c) -> std::string& { return c.models.download_socket; }, nullptr}},
      {"models.others", "--models-others", "\"on\" or \"off\"",
       "Whether models that ollama, llama.cpp and Hugging Face's libraries keep on this machine "
       "are shown, too, and used where they lie: those in the home of the daemon's user, and of "
       "ollama's service.",
       ChoiceField{[](Config& c) -> std::string& { return c.models.others; }, kOnOff}},
      {"models.catalogue", "--models-catalogue", "text: a path, or empty",
       "Short names of models that can be downloaded. Empty: the file that was installed with this "
       "program, if it is there.",
       TextField{[](Config& c) -> std::string& { return c.models.catalogue; }, nullptr}}};
}

std::vector<ConfigKey> MakeKeys() {
  std::vector<ConfigKey> keys = ListenKeys();
  for (ConfigKey& key : ModelKeys()) keys.push_back(std::move(key));
  std::vector<ConfigKey> others = {
      Reloads(OfEngine("memory.budget", "--memory-budget", "memory_budget_bytes")),
      OfEngine("memory.expert_budget", "--expert-budget", "expert_budget_bytes"),
      WithModel({"memory.adapt", "--memory-adapt", "\"auto\", \"on\" or \"off\"",
                 "Whether the budget follows what the machine has to give: less when a cgroup "
                 "limit falls or "
                 "memory is short, back when it no longer is. auto: where memory.budget is auto.",
                 ChoiceField{[](Config& c) -> std::string& { return c.memory.adapt; }, kSwitch}}),
      OfModel(
          OfEngine("memory.idle_shrink_after_s", "--idle-shrink-after-s", "idle_shrink_after_s")),
      OfEngine("state.directory", "--state-directory", "state_directory"),
      OfModel(OfEngine("chat.system_prompt", "--system-prompt", "system_prompt")),
      OfModel(OfEngine("chat.template_file", "--template-file", "template_file")),
      OfModel(OfEngine("sampling.temperature", "--temperature", "temperature")),
      OfModel(OfEngine("sampling.top_k", "--top-k", "top_k")),
      OfModel(OfEngine("sampling.top_p", "--top-p", "top_p")),
      OfModel(OfEngine("sampling.min_p", "--min-p", "min_p")),
      OfModel(
          OfEngine("sampling.repetition_penalty", "--repetition-penalty", "repetition_penalty")),
      OfModel(OfEngine("sampling.presence_penalty", "--presence-penalty", "presence_penalty")),
      OfModel(OfEngine("sampling.frequency_penalty", "--frequency-penalty", "frequency_penalty")),
      OfModel(OfEngine("sampling.penalty_last_n", "--penalty-last-n", "penalty_last_n")),
      OfModel(OfEngine("context_tokens", "--context-tokens", "context_tokens")),
      AtStart(OfEngine("sessions_max", "--sessions-max", "sessions_max")),
      AtStart(OfEngine("queue_max", "--queue-max", "queue_max")),
      OfEngine("prefill_chunk_tokens", "--prefill-chunk-tokens", "prefill_chunk_tokens"),
      OfEngine("threads", "--threads", "threads"),
      OfEngine("io.backend", "--io-backend", "io_backend"),
      OfEngine("io.depth", "--io-depth", "io_depth"),
      OfEngine("io.faults", "--io-faults", "io_faults"),
      OfEngine("io.verify", "--verify", "verify"),
      OfEngine("experts.eviction", "--eviction", "eviction_policy"),
      OfEngine("experts.predictor", "--predictor", "predictor"),
      OfEngine("kernels", "--kernels", "kernels"),
      OfEngine("stream.stall_timeout_ms", "--stall-timeout-ms", "stall_timeout_ms"),
      Reloads({"drain_timeout_ms", "--drain-timeout-ms", "milliseconds, in [0, 3600000]",
               "After SIGTERM running requests may go on for so long; then they are cancelled.",
               CountField{[](Config& c) -> std::uint32_t& { return c.drain_timeout_ms; }, 0,
                          3'600'000}}),
      Reloads({"log.level", "--log-level", "\"debug\", \"info\", \"warning\" or \"error\"",
               "The least severe lines that are logged.",
               ChoiceField{[](Config& c) -> std::string& { return c.log.level; }, kLogLevels}}),
      {"log.target", "--log-target", "\"auto\", \"stderr\" or \"journal\"",
       "Where lines go. auto: the journal when started by systemd, else stderr.",
       ChoiceField{[](Config& c) -> std::string& { return c.log.target; }, kLogTargets}},
  };
  keys.insert(keys.end(), std::make_move_iterator(others.begin()),
              std::make_move_iterator(others.end()));
  return keys;
}

std::string Found(const ConfigValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return ShowValue(*text);
  if (const auto* count = std::get_if<std::uint64_t>(&value)) return std::to_string(*count);
  if (const auto* number = std::get_if<double>(&value)) return ShowValue(*number);
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

Status Set(const ConfigKey& key, const NumberField& field, const ConfigValue& value,
           Config& config) {
  std::optional<double> number;
  if (const auto* count = std::get_if<std::uint64_t>(&value)) {
    number = static_cast<double>(*count);
  } else if (const auto* real = std::get_if<double>(&value)) {
    number = *real;
  }
  const auto* text = std::get_if<std::string>(&value);
  const bool is_auto = text != nullptr && *text == "auto";
  if (!is_auto && (!number || !field.accepts(*number))) return Refused(key, value);
  field.at(config) = number;
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

std::optional<double> ParseNumber(const std::string& text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
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

std::span<const ConfigKey> ConfigKeys() {
  static const std::vector<ConfigKey> keys = MakeKeys();
  return keys;
}

const ConfigKey* FindConfigKey(std::string_view path) {
  for (const ConfigKey& key : ConfigKeys())
    if (key.path == path) return &key;
  return nullptr;
}

const ConfigKey* FindKeyOfOption(std::string_view option) {
  for (const ConfigKey& key : ConfigKeys())
    if (!key.option.empty() && key.option == option) return &key;
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
  if (std::holds_alternative<NumberField>(key.field)) {
    const auto number = ParseNumber(text);
    return number ? SetConfigValue(key, *number, config) : SetConfigValue(key, text, config);
  }
  if (const auto* names = std::get_if<NamesField>(&key.field)) {
    std::vector<std::string> list;
    if (!text.empty()) list = names->at(config);
    for (std::string& name : SplitCommas(text))
      if (std::ranges::find(list, name) == list.end()) list.push_back(std::move(name));
    return SetConfigValue(key, list, config);
  }
  return SetConfigValue(key, text, config);
}

void CopyConfigValue(const ConfigKey& key, const Config& from, Config& to) {
  Config source = from;  // fields give mutable references
  std::visit([&](const auto& field) { field.at(to) = field.at(source); }, key.field);
}

Config WithSection(const Config& config, std::string_view model_name) {
  Config result = config;
  const auto section = config.model_settings.find(model_name);
  if (section == config.model_settings.end()) return result;
  for (const auto& [path, value] : section->second) {
    if (config.from_flags.contains(path)) continue;
    const Status status = SetConfigValue(*FindConfigKey(path), value, result);
    EDGEMOE_CHECK(status.ok(), "a model's section holds a value that was not checked");
  }
  return result;
}

std::string FormatConfigValue(const ConfigKey& key, const Config& config) {
  Config copy = config;  // fields give mutable references
  nlohmann::json value;
  if (const auto* count = std::get_if<CountField>(&key.field)) {
    value = count->at(copy);
  } else if (const auto* size = std::get_if<SizeField>(&key.field)) {
    value = FormatExactSize(size->at(copy));
  } else if (const auto* number = std::get_if<NumberField>(&key.field)) {
    const std::optional<double>& set = number->at(copy);
    value = set ? nlohmann::json(*set) : nlohmann::json("auto");
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
