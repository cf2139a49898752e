// SPDX-License-Identifier: Apache-2.0
//
// Configuration as text: JSON with // and /* */ comments.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "server/process/config.h"

namespace edgemoe {

constexpr std::size_t kConfigBytesMax = 1 << 20;
constexpr std::size_t kConfigErrorsMax = 20;  // told at once; what follows is counted only

// Sets in `config` what the text says. INVALID_ARGUMENT lists every unknown key, duplicate key and
// bad value, each on a line of its own as "file:line: key: what is wrong"; a syntax error ends the
// list. `config` is then unchanged. Any bytes may be given.
Status ApplyConfigText(std::string_view text, std::string_view file_name, Config& config);

// Reads and applies a file. NOT_FOUND, PERMISSION_DENIED, INVALID_ARGUMENT name the file.
Status ApplyConfigFile(const std::string& path, Config& config);

// Reads and applies every file *.json of a folder, in the order of their names; a later one
// overrides an earlier one. A folder that is not there holds none. At most kConfigDropInsMax files.
// `read`: gets the paths of those that were applied. Errors as of ApplyConfigFile.
Status ApplyConfigFolder(const std::string& folder, Config& config, std::vector<std::string>& read);
constexpr std::size_t kConfigDropInsMax = 64;

// Where drop-ins of a configuration file are: edgemoed.d beside edgemoed.json.
std::string DropInFolder(const std::string& config_path);

// The models' sections as JSON, on one line.
std::string FormatModelSettings(const Config& config);

// Plain JSON, for programs. ApplyConfigText takes it.
std::string FormatConfigJson(const Config& config);

// Every key with its meaning, what it accepts and its default as comments. ApplyConfigText takes
// it. With the default Config it is config/edgemoed.json.
std::string FormatConfig(const Config& config);

}  // namespace edgemoe
