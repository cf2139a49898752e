// SPDX-License-Identifier: Apache-2.0
//
// What is printed and written: the table for people, the JSON for programs.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "bench/settings.h"
#include "engine/describe.h"
#include "engine/probe.h"

namespace edgemoe::bench {

using Json = nlohmann::ordered_json;

struct Report {
  std::string text;  // for people
  Json json;         // under the names below
};

// {"command", "command_line", "version", "machine": {...}}, to be filled.
Json NewJson(const std::string& command, const Settings& settings);

Json ToJson(const ModelDescription& model);
Json ToJson(const ProbeReport& probe);

// Prints the text, and writes the JSON where it is wanted. Errors name the file.
Status Write(const Report& report, const Settings& settings);

// A line of progress for people, on standard error.
void Say(const std::string& line);

}  // namespace edgemoe::bench
