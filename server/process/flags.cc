// SPDX-License-Identifier: Apache-2.0
#include "server/process/flags.h"

#include <CLI/CLI.hpp>
#include <sstream>
#include <utility>
#include <vector>

#include "server/process/config_file.h"

namespace edgemoe {
namespace {

CommandLine Exit(ExitCode code, std::string text) {
  if (!text.empty() && text.back() != '\n') text += '\n';
  return {.action = CommandLine::Action::kExit,
          .text = std::move(text),
          .exit_code = code,
          .config = {}};
}

struct FlagValue {
  const ConfigKey* key = nullptr;
  CLI::Option* option = nullptr;
  std::string text;
};

}  // namespace

CommandLine ParseCommandLine(int argc, const char* const* argv) {
  CLI::App app(
      "edgemoed serves a mixture-of-experts language model from storage over gRPC.\n"
      "Flags override the configuration file.",
      "edgemoed");
  std::string config_path;
  bool print_config = false;
  bool check_config = false;
  bool version = false;
  app.add_option("--config", config_path, "Configuration file: JSON with comments");
  app.add_flag("--print-config", print_config, "Print the configuration in force and exit");
  app.add_flag("--check-config", check_config, "Say what is wrong with the configuration and exit");
  app.add_flag("--version", version, "Print the version and exit");

  const auto keys = ConfigKeys();
  std::vector<FlagValue> values(keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    values[i].key = &keys[i];
    values[i].option =
        app.add_option(keys[i].flag, values[i].text,
                       keys[i].path + ": " + keys[i].meaning + " (" + keys[i].accepts + ")");
  }

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::ostringstream out;
    const int code = app.exit(error, out, out);
    return Exit(code == 0 ? ExitCode::kOk : ExitCode::kUsage, out.str());
  }
  if (version) return Exit(ExitCode::kOk, std::string("edgemoed ") + EDGEMOE_VERSION);

  Config config;
  if (!config_path.empty()) {
    if (Status status = ApplyConfigFile(config_path, config); !status.ok())
      return Exit(ExitCode::kConfig, status.message());
  }
  for (const FlagValue& value : values) {
    if (value.option->count() == 0) continue;
    if (Status status = SetConfigValueFromText(*value.key, value.text, config); !status.ok())
      return Exit(ExitCode::kUsage, value.key->flag + ": " + status.message());
  }
  if (print_config) return Exit(ExitCode::kOk, FormatConfig(config));
  if (check_config) return Exit(ExitCode::kOk, "");
  if (config.engine.model_path.empty())
    return Exit(ExitCode::kConfig,
                "model.path: not set; say which GGUF file to serve, with --model or in the "
                "configuration file");
  return {.action = CommandLine::Action::kRun,
          .text = {},
          .exit_code = ExitCode::kOk,
          .config = std::move(config)};
}

}  // namespace edgemoe
