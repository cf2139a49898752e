// SPDX-License-Identifier: Apache-2.0
//
// What a set-up machine's daemon is configured with: one file beside the administrator's own.
#pragma once

#include <cstdint>
#include <string>

#include "client/status.h"

namespace edgemoe::cli {

// The folder of drop-ins that the daemon of this user reads: that of the configuration in `etc`
// beside the `bin` in which this program lies, if it is there, else in /etc for root, else in
// $XDG_CONFIG_HOME or ~/.config. FAILED_PRECONDITION where no home is known.
client::Result<std::string> DropInFolder(const std::string& program_folder, unsigned uid);

// The text: model.path, and memory.budget where that is not 0.
std::string DropInText(const std::string& model_path, std::uint64_t budget_bytes);

// Writes it as 50-setup.json, in the place of an earlier one. Gives the file's path.
client::Result<std::string> WriteDropIn(const std::string& folder, const std::string& text);

}  // namespace edgemoe::cli
