// SPDX-License-Identifier: Apache-2.0
#include "server/process/flags.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "server/process/config_file.h"

namespace edgemoe {
namespace {

CommandLine Exit(ExitCode code, std::string text) {
  if (!text.empty() && text.back() != '\n') text += '\n';
  return {.action = CommandLine::Action::kExit,
          .text = std::move(text),
          .exit_code = code,
          .config = {},
          .config_files = {}};
}

struct FlagValue {
  const ConfigKey* key = nullptr;
  CLI::Option* option = nullptr;
  std::vector<std::string> texts;  // of a list several, else one
};

std::string Variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

// What the parser takes: the last word first. "--flag=" is split, as older versions of the parser
// would take the next word for the value.
std::vector<std::string> Words(int argc, const char* const* argv) {
  std::vector<std::string> words;
  for (int i = argc - 1; i > 0; --i) {
    const std::string word = argv[i];
    if (word.starts_with("--") && word.ends_with('=')) {
      words.emplace_back();
      words.push_back(word.substr(0, word.size() - 1));
    } else {
      words.push_back(word);
    }
  }
  return words;
}

// One for each key. `values` keeps its place while the flags are parsed.
void AddKeys(CLI::App& app, std::vector<FlagValue>& values) {
  for (const ConfigKey& key : ConfigKeys()) {
    FlagValue& value = values.emplace_back();
    value.key = &key;
    const bool is_model = key.flag == "--model";
    value.option = app.add_option(is_model ? "model," + key.flag : key.flag, value.texts,
                                  key.path + ": " + key.meaning + " (" + key.accepts + ")")
                       ->allow_extra_args(false)
                       ->type_name("");
    if (!std::holds_alternative<NamesField>(key.field))
      value.option->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::Throw);
  }
}

// The configuration file with its drop-ins: the one that is named, else the first that exists.
Status ReadFiles(bool is_named, const std::string& named, const StartEnvironment& environment,
                 CommandLine& line) {
  const auto is_there = [](const std::string& path) { return ::access(path.c_str(), F_OK) == 0; };
  std::string path = named;
  if (!is_named) {
    const auto found =
        std::ranges::find_if(environment.config_paths, [&](const std::string& candidate) {
          return is_there(candidate) || is_there(DropInFolder(candidate));
        });
    if (found == environment.config_paths.end()) return OkStatus();
    path = *found;
  }
  if (path.empty()) return OkStatus();
  if (is_named || is_there(path)) {
    EDGEMOE_RETURN_IF_ERROR(ApplyConfigFile(path, line.config));
    line.config_files.push_back(path);
  }
  return ApplyConfigFolder(DropInFolder(path), line.config, line.config_files);
}

Status ReadEnvironment(const StartEnvironment& environment, Config& config) {
  if (environment.socket.empty()) return OkStatus();
  constexpr std::string_view kUnixPrefix = "unix:";
  std::string path = environment.socket;
  if (path.starts_with(kUnixPrefix)) path.erase(0, kUnixPrefix.size());
  return SetConfigValue(*FindConfigKey("listen.unix_socket"), path, config)
      .WithField("EDGEMOE_SOCKET");
}

}  // namespace

StartEnvironment StartEnvironment::OfProcess(unsigned uid, const std::string& program) {
  constexpr std::string_view kName = "/edgemoe/edgemoed.json";
  constexpr std::string_view kPrograms = "/bin";
  StartEnvironment environment;
  environment.socket = Variable("EDGEMOE_SOCKET");
  const auto add = [&](const std::string& directory) {
    environment.config_paths.push_back(directory + std::string(kName));
  };
  if (uid != 0) {
    if (const std::string home = Variable("XDG_CONFIG_HOME"); !home.empty()) {
      add(home);
    } else if (const std::string user = Variable("HOME"); !user.empty()) {
      add(user + "/.config");
    }
  }
  const std::string folder = program.substr(0, std::min(program.rfind('/'), program.size()));
  if (folder.ends_with(kPrograms)) add(folder.substr(0, folder.size() - kPrograms.size()) + "/etc");
  add("/etc");
  return environment;
}

CommandLine ParseCommandLine(int argc, const char* const* argv,
                             const StartEnvironment& environment) {
  CLI::App app(
      "edgemoed serves a mixture-of-experts language model from storage over gRPC.\n"
      "Flags override $EDGEMOE_SOCKET, and that the configuration file.",
      "edgemoed");
  std::string config_path;
  bool print_config = false;
  bool comments = false;
  bool check_config = false;
  bool version = false;
  std::string places;
  for (const std::string& path : environment.config_paths)
    places += (places.empty() ? "" : ", ") + path;
  CLI::Option* const config_option = app.add_option(
      "--config", config_path,
      "Configuration file: JSON with comments; the files *.json in the folder beside it whose name "
      "ends in .d override it, in the order of their names; empty: none (default: the first there "
      "is of " +
          (places.empty() ? "none" : places) + ")");
  CLI::Option* const print_option = app.add_flag(
      "--print-config", print_config,
      "Print the configuration in force as JSON, with what \"auto\" comes to here, and exit");
  app.add_flag("--comments", comments,
               "With --print-config: as it is configured, each key explained")
      ->needs(print_option);
  app.add_flag("--check-config", check_config,
               "Say what would keep the daemon from starting, and exit as it would");
  app.add_flag("--version", version, "Print the version and exit");
  std::vector<FlagValue> values;
  values.reserve(ConfigKeys().size());
  AddKeys(app, values);

  try {
    app.parse(Words(argc, argv));
  } catch (const CLI::ParseError& error) {
    std::ostringstream out;
    const int code = app.exit(error, out, out);
    return Exit(code == 0 ? ExitCode::kOk : ExitCode::kUsage, out.str());
  }
  if (version) return Exit(ExitCode::kOk, std::string("edgemoed ") + EDGEMOE_VERSION);

  CommandLine line;
  Status read = ReadFiles(config_option->count() > 0, config_path, environment, line);
  if (Status status = ReadEnvironment(environment, line.config); read.ok()) read = status;
  const auto exit = [&line](ExitCode code, std::string text) {
    CommandLine refused = Exit(code, std::move(text));
    refused.config = line.config;
    return refused;
  };
  for (const FlagValue& value : values) {
    for (const std::string& text : value.texts) {
      if (const Status status = SetConfigValueFromText(*value.key, text, line.config); !status.ok())
        return exit(ExitCode::kUsage, value.key->flag + ": " + status.message());
      line.config.from_flags.insert(value.key->path);
    }
  }
  if (!read.ok()) return exit(ExitCode::kConfig, read.message());
  if (print_config && comments) return Exit(ExitCode::kOk, FormatConfig(line.config));
  line.action = print_config   ? CommandLine::Action::kPrint
                : check_config ? CommandLine::Action::kCheck
                               : CommandLine::Action::kRun;
  return line;
}

}  // namespace edgemoe
