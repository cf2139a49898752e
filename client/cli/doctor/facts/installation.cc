// SPDX-License-Identifier: Apache-2.0
#include "client/cli/doctor/facts/installation.h"

#include <sys/wait.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

namespace edgemoe::cli {
namespace {

constexpr std::size_t kWordsMax = 256;

// "{ path=/usr/bin/edgemoed ; argv[]=/usr/bin/edgemoed --config FILE ; ignore_errors=no ; … }".
std::vector<std::string> CommandOf(const std::string& exec_start) {
  const std::string kStart = "argv[]=";
  const std::size_t begin = exec_start.find(kStart);
  if (begin == std::string::npos) return {};
  const std::size_t end = exec_start.find(" ;", begin);
  std::vector<std::string> words = WordsIn(exec_start.substr(
      begin + kStart.size(), end == std::string::npos ? end : end - begin - kStart.size()));
  if (words.size() > kWordsMax) words.clear();
  return words;
}

// As the service would have them, so that its folders are found.
std::vector<std::pair<std::string, std::string>> ServiceEnvironment(const Installation& found) {
  if (!found.unit) return {};
  return {{"STATE_DIRECTORY", "/var/lib/edgemoe"}, {"RUNTIME_DIRECTORY", "/run/edgemoe"}};
}

client::Result<ProgramEnd> AskProgram(const Machine& machine, const Installation& found,
                                      const std::string& flag) {
  std::vector<std::string> command = {"edgemoed"};
  if (found.unit && !found.unit->command.empty()) command = found.unit->command;
  command.push_back(flag);
  return machine.calls().run(command, ServiceEnvironment(found));
}

// --print-config writes its complaints, too, in front of the object.
void ReadConfiguration(const std::string& text, Installation& found) {
  const std::size_t begin = text.find("{\n");
  if (begin == std::string::npos) return;
  const auto json = nlohmann::json::parse(text.substr(begin), nullptr, /*allow_exceptions=*/false);
  const auto read = [&](const char* section, const char* key, std::string& value) {
    if (!json.is_object() || !json.contains(section) || !json[section].is_object()) return;
    const auto entry = json[section].find(key);
    if (entry != json[section].end() && entry->is_string()) value = entry->get<std::string>();
  };
  read("model", "path", found.model_path);
  read("models", "directory", found.models_directory);
}

void TakeCheck(const ProgramEnd& end, Installation& found) {
  found.checked = true;
  found.check_code = WIFEXITED(end.status) ? WEXITSTATUS(end.status) : -1;
  if (found.check_code != 0) found.complaint = end.output;
}

}  // namespace

std::optional<ServiceUnit> ParseServiceUnit(const std::string& text) {
  std::map<std::string, std::string> values;
  for (const std::string& line : LinesIn(text))
    if (const std::size_t equals = line.find('='); equals != std::string::npos)
      values[line.substr(0, equals)] = line.substr(equals + 1);
  if (values["LoadState"] != "loaded") return std::nullopt;
  ServiceUnit unit{.active_state = values["ActiveState"],
                   .file_state = values["UnitFileState"],
                   .result = values["Result"],
                   .command = CommandOf(values["ExecStart"])};
  if (const auto bytes = ParseNumber(values["LimitMEMLOCK"]); bytes && *bytes >= 0)
    unit.memlock_bytes = static_cast<std::uint64_t>(*bytes);
  return unit;
}

Installation LookForInstallation(const Machine& machine) {
  Installation found;
  found.has_systemd = machine.Exists("/run/systemd/system");
  if (found.has_systemd) {
    const auto shown = machine.calls().run(
        {"systemctl", "show", "edgemoed.service",
         "--property=LoadState,ActiveState,UnitFileState,Result,LimitMEMLOCK,ExecStart"},
        {});
    if (shown) found.unit = ParseServiceUnit(shown->output);
  }
  const auto printed = AskProgram(machine, found, "--print-config");
  found.has_program = printed.has_value();
  if (!printed) return found;
  ReadConfiguration(printed->output, found);
  // One that cannot be read at all is not printed.
  if (printed->status != 0) {
    TakeCheck(*printed, found);
    return found;
  }
  // Without either the daemon is started by hand, with flags that nobody knows.
  if (!found.unit && found.model_path.empty() && found.models_directory.empty()) return found;
  if (const auto checked = AskProgram(machine, found, "--check-config")) TakeCheck(*checked, found);
  return found;
}

}  // namespace edgemoe::cli
