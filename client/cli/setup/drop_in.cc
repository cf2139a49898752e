// SPDX-License-Identifier: Apache-2.0
#include "client/cli/setup/drop_in.h"

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string_view>
#include <system_error>

#include "client/cli/terminal/local_status.h"
#include "engine/base/system/whole_file.h"

namespace edgemoe::cli {

client::Result<std::string> DropInFolder(const std::string& program_folder, unsigned uid) {
  const std::string name = "/edgemoe/edgemoed.d";
  constexpr std::string_view kPrograms = "/bin/";
  if (uid == 0) {
    std::error_code error;
    if (program_folder.ends_with(kPrograms)) {
      const std::string etc =
          program_folder.substr(0, program_folder.size() - kPrograms.size()) + "/etc";
      if (std::filesystem::exists(etc + "/edgemoe", error)) return etc + name;
    }
    return "/etc" + name;
  }
  if (const char* config = std::getenv("XDG_CONFIG_HOME"); config != nullptr && *config != '\0')
    return config + name;
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0')
    return std::string(home) + "/.config" + name;
  return tl::unexpected(client::Status{
      client::StatusCode::kFailedPrecondition,
      "neither XDG_CONFIG_HOME nor HOME is set: --config-folder says where edgemoed.d is"});
}

std::string DropInText(const std::string& model_path, std::uint64_t budget_bytes) {
  nlohmann::ordered_json text;
  text["model"]["path"] = model_path;
  if (budget_bytes != 0) text["memory"]["budget"] = budget_bytes;
  return text.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

client::Result<std::string> WriteDropIn(const std::string& folder, const std::string& text) {
  const std::string path = folder + "/50-setup.json";
  if (const client::Status status =
          ToClient(WriteWholeFile(path, text, {.make_folders = true, .mode = 0644}));
      !status.ok())
    return tl::unexpected(status);
  return path;
}

}  // namespace edgemoe::cli
