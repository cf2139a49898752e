// SPDX-License-Identifier: Apache-2.0
//
// What can be configured. One table says for each key its flag, what it accepts and what it means;
// parsing, printing, flags and the shipped config/edgemoed.json all follow from it. Options of the
// engine have kind, range and meaning from engine/option_table.h. Defaults are the initial values
// of Config. Links no gRPC.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/base/result.h"
#include "engine/options.h"

namespace edgemoe {

// A value as a file or a flag gives it. Other: what no key takes, as text ("true", "null").
struct OtherValue {
  std::string text;
};
using ConfigValue =
    std::variant<std::string, std::uint64_t, double, std::vector<std::string>, OtherValue>;

// Values of keys that stand in a model's section, by path. They are good: see ApplyConfigText.
using ModelSection = std::map<std::string, ConfigValue, std::less<>>;

struct Config {
  struct Listen {
    std::string unix_socket;  // empty: DefaultSocketPath()
    std::string tcp;          // empty: none
    std::uint32_t socket_mode = 0660;
    std::vector<std::string> allow_users;   // names or numbers, beside our own uid and root
    std::vector<std::string> allow_groups;  // names or numbers
    std::vector<std::string> admin_users;   // who may change things, as the two above
    std::vector<std::string> admin_groups;
    std::uint32_t connections_max = 256;
    std::uint32_t idle_exit_s = 0;
  } listen;
  struct Models {
    std::string directory;
    std::string download_socket = "/run/edgemoe/download.sock";
    std::string others = "on";
    std::string catalogue;  // empty: the one that was installed with this program
  } models;
  struct Memory {
    std::string adapt = "auto";
  } memory;
  // By the model's name; see WithSection.
  std::map<std::string, ModelSection, std::less<>> model_settings;
  std::set<std::string, std::less<>> from_flags;  // paths of the keys that flags have set
  // Keys model.*, memory.budget and further ones: see the table. `log` is not configured here.
  EngineOptions engine;
  std::uint32_t drain_timeout_ms = 30'000;
  struct Log {
    std::string level = "info";
    std::string target = "auto";
  } log;
};

// Where a key's value lives in Config, and what it may be.
template <class T>
using At = std::function<T&(Config&)>;
struct TextField {
  At<std::string> at;
  Status (*check)(const std::string& text);  // null: any text of up to kTextMax bytes
};
struct ChoiceField {
  At<std::string> at;
  std::span<const std::string_view> choices;
};
struct CountField {
  At<std::uint32_t> at;
  std::uint32_t min, max;
};
struct SizeField {  // "auto" or a byte size of at least 1
  At<std::uint64_t> at;
};
struct NumberField {  // "auto" or a number
  At<std::optional<double>> at;
  std::function<bool(double)> accepts;
};
struct ModeField {  // octal text
  At<std::uint32_t> at;
};
struct NamesField {
  At<std::vector<std::string>> at;
};
using ConfigField =
    std::variant<TextField, ChoiceField, CountField, SizeField, NumberField, ModeField, NamesField>;

// When a running daemon heeds a new value.
enum class TakenOver : std::uint8_t {
  kAtStart,    // the next start does
  kWithModel,  // SIGHUP, as long as no model is loaded
  kLive,       // SIGHUP
};

struct ConfigKey {
  std::string path;     // "listen.unix_socket"; keys of one group stand together
  std::string flag;     // "--socket"
  std::string accepts;  // type, unit and range, for people
  std::string meaning;
  ConfigField field;
  std::string_view option = {};  // the member of EngineOptions; empty: not of the engine
  TakenOver taken_over = TakenOver::kAtStart;
  bool of_model = false;  // may stand in a model's section
};

constexpr std::size_t kTextMax = 4096;  // bytes of a text
constexpr std::size_t kNamesMax = 64;   // elements of a list of names
constexpr std::size_t kModelSectionsMax = 256;
constexpr std::string_view kModelSettings = "model_settings";  // the group of models' sections

std::span<const ConfigKey> ConfigKeys();

// Null when there is no such key.
const ConfigKey* FindConfigKey(std::string_view path);
// The key of an option of the engine. Null when it is not configured.
const ConfigKey* FindKeyOfOption(std::string_view option);

// INVALID_ARGUMENT says what was found and what is accepted, not the key's name; `config` is then
// unchanged.
Status SetConfigValue(const ConfigKey& key, const ConfigValue& value, Config& config);

// The same from a flag's text: numbers in digits, lists separated by commas. A list is added to the
// one that is there; the empty text empties it.
Status SetConfigValueFromText(const ConfigKey& key, const std::string& text, Config& config);

void CopyConfigValue(const ConfigKey& key, const Config& from, Config& to);

// The configuration with the values of that model's section, but for what flags have set. As it is
// when there is no such section.
Config WithSection(const Config& config, std::string_view model_name);

// The value as JSON text, as in `"auto"`, `64`, `["edgemoe"]`.
std::string FormatConfigValue(const ConfigKey& key, const Config& config);

// Host and port of listen.tcp. INVALID_ARGUMENT for what is not loopback.
struct TcpAddress {
  std::string host;
  std::uint16_t port = 0;
};
Result<TcpAddress> ParseTcpAddress(std::string_view text);

}  // namespace edgemoe
