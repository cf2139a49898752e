// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "client/status.h"
#include "edgemoe/v1/inference.pb.h"

namespace edgemoe::cli {

// A tool and the program that does its work.
struct LocalTool {
  v1::Tool definition;
  std::vector<std::string> command;  // program and arguments
};

// Of a file's text: [{"name": "look", "description": "Looks.", "parameters": SCHEMA,
// "command": ["./look", "--quick"]}, …], where a definition may also be in OpenAI's form, under
// "function". INVALID_ARGUMENT names file, place, what was found and what would be accepted.
client::Result<std::vector<LocalTool>> ParseTools(const std::string& file, const std::string& text);

}  // namespace edgemoe::cli
