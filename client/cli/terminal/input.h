// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "client/cli/terminal/exit_code.h"
#include "client/status.h"

namespace edgemoe::cli {

// Text given as an argument, or a file's content ("-" is standard input).
struct TextSource {
  std::optional<std::string> text;
  std::string file;
};

constexpr std::size_t kInputBytesMax = 32u << 20;

// The text that a TextSource names. NOT_FOUND or PERMISSION_DENIED for a file that cannot be read,
// INVALID_ARGUMENT for more than kInputBytesMax.
client::Result<std::string> ReadText(const TextSource& source);

// All of standard input, as ReadText.
client::Result<std::string> ReadStandardInput();

// Reports why an input could not be read; gives the process's exit code.
ExitCode FailInput(const client::Status& status, bool json);

}  // namespace edgemoe::cli
