// SPDX-License-Identifier: Apache-2.0
#include "client/cli/tools/tool_file.h"

#include <nlohmann/json.hpp>
#include <utility>

namespace edgemoe::cli {
namespace {

using Json = nlohmann::ordered_json;

tl::unexpected<client::Status> Wrong(const std::string& place, const Json& found,
                                     const std::string& accepted) {
  constexpr std::size_t kShownBytes = 60;
  std::string text = found.is_discarded() ? "no JSON" : found.dump(-1, ' ', true);
  if (text.size() > kShownBytes) text = text.substr(0, kShownBytes) + "...";
  return tl::unexpected(client::Status{client::StatusCode::kInvalidArgument,
                                       place + ": found " + text + "; accepted: " + accepted});
}

bool IsTextList(const Json& list) {
  if (!list.is_array() || list.empty()) return false;
  for (const Json& text : list) {
    if (!text.is_string()) return false;
  }
  return true;
}

client::Result<LocalTool> ParseTool(const std::string& place, const Json& entry) {
  if (!entry.is_object()) return Wrong(place, entry, "an object");
  const Json definition = entry.value("function", entry);
  if (!definition.is_object()) return Wrong(place + ".function", definition, "an object");
  const Json name = definition.value("name", Json());
  if (!name.is_string() || name.get<std::string>().empty())
    return Wrong(place + ".name", name, "a text");
  const Json description = definition.value("description", Json(""));
  if (!description.is_string()) return Wrong(place + ".description", description, "a text");
  const Json parameters = definition.value("parameters", Json::object());
  if (!parameters.is_object())
    return Wrong(place + ".parameters", parameters, "a JSON Schema, which is an object");
  const Json command = entry.value("command", Json());
  if (!IsTextList(command))
    return Wrong(place + ".command", command, "a list of texts: the program and its arguments");
  LocalTool tool;
  tool.definition.set_name(name.get<std::string>());
  tool.definition.set_description(description.get<std::string>());
  if (!parameters.empty()) tool.definition.set_parameters(parameters.dump());
  tool.command = command.get<std::vector<std::string>>();
  return tool;
}

}  // namespace

client::Result<std::vector<LocalTool>> ParseTools(const std::string& file,
                                                  const std::string& text) {
  const Json list = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!list.is_array()) return Wrong(file, list, "a list of tools");
  std::vector<LocalTool> tools;
  for (const Json& entry : list) {
    auto tool = ParseTool(file + ": [" + std::to_string(tools.size()) + "]", entry);
    if (!tool) return tl::unexpected(tool.error());
    tools.push_back(*std::move(tool));
  }
  return tools;
}

}  // namespace edgemoe::cli
