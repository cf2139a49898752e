// SPDX-License-Identifier: Apache-2.0
//
// Configuration as text: JSON with // and /* */ comments.
#pragma once

#include <string>
#include <string_view>

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

// The models' sections as JSON, on one line.
std::string FormatModelSettings(const Config& config);

// Plain JSON, for programs. ApplyConfigText takes it.
std::string FormatConfigJson(const Config& config);

// Every key with its meaning, what it accepts and its default as comments. ApplyConfigText takes
// it. With the default Config it is config/edgemoed.json.
std::string FormatConfig(const Config& config);

}  // namespace edgemoe
