// SPDX-License-Identifier: Apache-2.0
//
// Writes a model that writes given texts (scripted_model.h).
//
//   scripted_model_file TEMPLATE.jinja SCRIPTS.json OUT.gguf
//     SCRIPTS.json  [{"name": "weather", "text": "...", "repeated": "...", "after_line": true}],
//                   of which the last two may be missing
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/support/models/random_model_file.h"
#include "tests/support/models/scripted_model.h"

namespace edgemoe {
namespace {

Result<std::string> ReadText(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Failure(NotFoundError(path + " cannot be read"));
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

Result<std::vector<Script>> ReadScripts(const std::string& path) {
  EDGEMOE_ASSIGN_OR_FAIL(const std::string text, ReadText(path));
  const nlohmann::json list = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!list.is_array()) return Failure(InvalidArgumentError(path + " is no list in JSON"));
  std::vector<Script> scripts;
  for (const nlohmann::json& entry : list) {
    if (!entry.is_object() || !entry.contains("name") || !entry["name"].is_string())
      return Failure(InvalidArgumentError(path + ": a script has a name"));
    scripts.push_back({.name = entry["name"].get<std::string>(),
                       .text = entry.value("text", ""),
                       .repeated = entry.value("repeated", ""),
                       .after_line = entry.value("after_line", false)});
  }
  return scripts;
}

Status Write(const std::string& template_path, const std::string& scripts_path,
             const std::string& out) {
  EDGEMOE_ASSIGN_OR_RETURN(const std::string template_text, ReadText(template_path));
  EDGEMOE_ASSIGN_OR_RETURN(const std::vector<Script> scripts, ReadScripts(scripts_path));
  return WriteRandomModel(out, ScriptedModel(template_text, scripts));
}

}  // namespace
}  // namespace edgemoe

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fputs("usage: scripted_model_file TEMPLATE.jinja SCRIPTS.json OUT.gguf\n", stderr);
    return 64;
  }
  const edgemoe::Status status = edgemoe::Write(argv[1], argv[2], argv[3]);
  if (status.ok()) return 0;
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return 1;
}
