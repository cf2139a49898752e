// SPDX-License-Identifier: Apache-2.0
//
// What can be configured. One table says for each key its flag, what it accepts and what it means;
// parsing, printing, flags and the shipped config/edgemoed.json all follow from it. Defaults are
// the initial values of Config. Links no gRPC.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/base/result.h"

namespace edgemoe {

struct Config {
  struct Listen {
    std::string unix_socket;  // empty: DefaultSocketPath()
    std::string tcp;          // empty: none
    std::uint32_t socket_mode = 0660;
    std::vector<std::string> allow_users;   // names or numbers, beside our own uid and root
    std::vector<std::string> allow_groups;  // names or numbers
    std::uint32_t connections_max = 256;
  } listen;
  struct Model {
    std::string path;
    std::string name;
  } model;
  struct Models {
    std::string directory;
  } models;
  struct Memory {
    std::uint64_t budget_bytes = 0;         // 0: "auto"
    std::uint64_t expert_budget_bytes = 0;  // 0: "auto"
    std::string adapt = "auto";
    std::uint32_t idle_shrink_after_s = 0;
  } memory;
  struct State {
    std::string directory;
  } state;
  std::uint32_t context_tokens = 4096;
  std::uint32_t sessions_max = 4;
  std::uint32_t queue_max = 64;
  std::uint32_t prefill_chunk_tokens = 64;
  std::uint32_t threads = 0;
  struct Io {
    std::string backend = "auto";
    std::uint32_t depth = 0;
    std::string faults;
  } io;
  struct Experts {
    std::string eviction = "lfru";
    std::string predictor = "router";
  } experts;
  std::string kernels = "auto";
  struct Stream {
    std::uint32_t stall_timeout_ms = 60'000;
  } stream;
  std::uint32_t drain_timeout_ms = 30'000;
  struct Log {
    std::string level = "info";
    std::string target = "auto";
  } log;
};

// A value as a file or a flag gives it. Other: what no key takes, as text ("true", "1.5", "null").
struct OtherValue {
  std::string text;
};
using ConfigValue = std::variant<std::string, std::uint64_t, std::vector<std::string>, OtherValue>;

// Where a key's value lives in Config, and what it may be.
struct TextField {
  std::string& (*at)(Config&);
  Status (*check)(std::string_view text);  // null: any text of up to kTextMax bytes
};
struct ChoiceField {
  std::string& (*at)(Config&);
  std::span<const char* const> choices;
};
struct CountField {
  std::uint32_t& (*at)(Config&);
  std::uint32_t min, max;
};
struct SizeField {  // "auto" or a byte size of at least 1
  std::uint64_t& (*at)(Config&);
};
struct ModeField {  // octal text
  std::uint32_t& (*at)(Config&);
};
struct NamesField {
  std::vector<std::string>& (*at)(Config&);
};
using ConfigField =
    std::variant<TextField, ChoiceField, CountField, SizeField, ModeField, NamesField>;

struct ConfigKey {
  const char* path;     // "listen.unix_socket"; keys of one group stand together
  const char* flag;     // "--socket"
  const char* accepts;  // type, unit and range, for people
  const char* meaning;
  ConfigField field;
};

constexpr std::size_t kTextMax = 4096;  // bytes of a text
constexpr std::size_t kNamesMax = 64;   // elements of a list of names

std::span<const ConfigKey> ConfigKeys();

// Null when there is no such key.
const ConfigKey* FindConfigKey(std::string_view path);

// INVALID_ARGUMENT says what was found and what is accepted, not the key's name; `config` is then
// unchanged.
Status SetConfigValue(const ConfigKey& key, const ConfigValue& value, Config& config);

// The same from a flag's text: numbers in digits, lists separated by commas.
Status SetConfigValueFromText(const ConfigKey& key, const std::string& text, Config& config);

// The value as JSON text, as in `"auto"`, `64`, `["edgemoe"]`.
std::string FormatConfigValue(const ConfigKey& key, const Config& config);

// Host and port of listen.tcp. INVALID_ARGUMENT for what is not loopback.
struct TcpAddress {
  std::string host;
  std::uint16_t port = 0;
};
Result<TcpAddress> ParseTcpAddress(std::string_view text);

}  // namespace edgemoe
