// SPDX-License-Identifier: Apache-2.0
//
// What recordings of Jinja's renderings (reference.py) are compared with.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iomanip>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "engine/template/chat_template.h"

namespace edgemoe {

inline std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

inline std::string TestPath(const std::string& name) {
  return std::string(EDGEMOE_SOURCE_DIR) + "/tests/engine/template/" + name;
}

// Where the public models' templates are, whose text is not ours (public/public_templates.py).
inline std::string PublicTemplatePath(const std::string& name) {
  const char* const given = std::getenv("EDGEMOE_PUBLIC_TEMPLATES");
  return std::string(given != nullptr ? given : EDGEMOE_SOURCE_DIR "/../templates-public") + "/" +
         name;
}

inline nlohmann::ordered_json ReadRecording(const std::string& name) {
  return nlohmann::ordered_json::parse(ReadFile(TestPath(name)));
}

// The time at which reference.py's clock stands: 2025-08-05 12:00, a Tuesday.
inline RenderOptions RecordedTime() {
  RenderOptions options;
  options.now.emplace();
  options.now->tm_year = 125;
  options.now->tm_mon = 7;
  options.now->tm_mday = 5;
  options.now->tm_hour = 12;
  options.now->tm_wday = 2;
  options.now->tm_yday = 216;
  return options;
}

inline std::string Fnv1a(const std::string& text) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char byte : text) {
    hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3ULL;
  }
  std::ostringstream hex;
  hex << std::hex << std::setw(16) << std::setfill('0') << hash;
  return hex.str();
}

}  // namespace edgemoe
