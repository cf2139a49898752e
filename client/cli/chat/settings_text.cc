// SPDX-License-Identifier: Apache-2.0
#include "client/cli/chat/settings_text.h"

#include <vector>

#include "client/cli/request_settings.h"
#include "client/cli/terminal/format_text.h"
#include "client/cli/terminal/nearest_word.h"

namespace edgemoe::cli {
namespace {

constexpr const char* kDefault = "default";

std::string Row(const RequestSetting& setting, v1::ChatRequest& request) {
  const std::string value = TextOf(setting, PartOf(setting, request));
  return Format("%-19s %-8s %s\n", setting.name().c_str(), value.empty() ? kDefault : value.c_str(),
                setting.help);
}

std::string UnknownName(const std::string& name) {
  std::vector<std::string> names;
  std::string accepted;
  for (const RequestSetting& setting : RequestSettings()) {
    names.push_back(setting.name());
    accepted += (accepted.empty() ? "" : ", ") + setting.name();
  }
  const std::string meant = NearestWord(name, names);
  return "/set: found \"" + name + "\"; accepted: " + accepted +
         (meant.empty() ? "" : "; did you mean " + meant + "?") + "\n";
}

}  // namespace

std::string SetOrShow(const std::string& argument, v1::ChatRequest& request) {
  if (argument.empty()) {
    std::string table;
    for (const RequestSetting& setting : RequestSettings()) table += Row(setting, request);
    return table;
  }
  const std::size_t space = argument.find_first_of(" \t\n");
  const std::string name = argument.substr(0, space);
  const RequestSetting* const setting = FindRequestSetting(name);
  if (setting == nullptr) return UnknownName(name);
  if (space != std::string::npos) {
    const std::string value = argument.substr(argument.find_first_not_of(" \t\n", space));
    if (value == kDefault) {
      Unset(*setting, PartOf(*setting, request));
    } else if (const std::string wrong = SetFromText(*setting, value, PartOf(*setting, request));
               !wrong.empty()) {
      return setting->name() + ": " + wrong + ", " + kDefault + "\n";
    }
  }
  return Row(*setting, request);
}

}  // namespace edgemoe::cli
