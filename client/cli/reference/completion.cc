// SPDX-License-Identifier: Apache-2.0
#include "client/cli/reference/completion.h"

#include <functional>
#include <string_view>
#include <vector>

namespace edgemoe::cli {
namespace {

constexpr std::string_view kHeader =
    "# SPDX-License-Identifier: Apache-2.0\n"
    "# Written by `edgemoe completion`.\n";

// A command with the words that lead to it: none for the program itself.
using Visit =
    std::function<void(const CommandHelp& command, const std::vector<std::string>& words)>;

void ForEachCommand(const CommandHelp& command, std::vector<std::string>& words,
                    const Visit& visit) {
  visit(command, words);
  for (const CommandHelp& below : command.commands) {
    words.push_back(below.name);
    ForEachCommand(below, words, visit);
    words.pop_back();
  }
}

void ForEachCommand(const CommandHelp& program, const Visit& visit) {
  std::vector<std::string> words;
  ForEachCommand(program, words, visit);
}

std::string Join(const std::vector<std::string>& words, std::string_view separator) {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += separator;
    text += word;
  }
  return text;
}

bool TakesFile(const CommandHelp& command) {
  for (const OptionHelp& option : command.options)
    if (option.names.empty() && option.is_file) return true;
  return false;
}

// Between single quotes; a quote itself stands outside of them.
std::string Quote(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

// In zsh's _arguments brackets and colons part what belongs together.
std::string EscapeZsh(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string ZshFunction(const std::vector<std::string>& words) {
  return words.empty() ? "_edgemoe" : "_edgemoe_" + Join(words, "_");
}

// One _arguments specification for each of its names.
void AppendZshOption(std::string& script, const OptionHelp& option) {
  for (const std::string& name : option.names) {
    std::string text = name + "[" + EscapeZsh(option.text) + "]";
    if (!option.value.empty())
      text += ":" + EscapeZsh(option.value) + ":" + (option.is_file ? "_files" : "");
    script += "    " + Quote(text) + " \\\n";
  }
}

void AppendZshCommands(std::string& script, const CommandHelp& command,
                       const std::vector<std::string>& words) {
  script += "    '1:command:->command' '*::argument:->argument'\n";
  script += "  case $state in\n    command)\n      local -a commands=(\n";
  for (const CommandHelp& below : command.commands)
    script += "        " + Quote(EscapeZsh(below.name) + ":" + below.text) + "\n";
  script +=
      "      )\n      _describe command commands\n      ;;\n    argument)\n      case $words[1] "
      "in\n";
  for (const CommandHelp& below : command.commands) {
    std::vector<std::string> path = words;
    path.push_back(below.name);
    script += "        " + below.name + ") " + ZshFunction(path) + " ;;\n";
  }
  script += "      esac\n      ;;\n  esac\n";
}

}  // namespace

std::string BashCompletion(const CommandHelp& program) {
  std::string script(kHeader);
  std::string files;  // patterns of options that take a file, each behind its command
  std::string values;
  std::string cases;
  ForEachCommand(program, [&](const CommandHelp& command, const std::vector<std::string>& words) {
    std::vector<std::string> choices;
    for (const CommandHelp& below : command.commands) choices.push_back(below.name);
    for (const OptionHelp& option : command.options)
      for (const std::string& name : option.names) {
        if (words.empty() || name != "--help") choices.push_back(name);
        if (option.value.empty()) continue;
        std::string& patterns = option.is_file ? files : values;
        patterns += (patterns.empty() ? "" : "|") + std::string(words.empty() ? "*" : "") + "'" +
                    Join(words, " ") + " " + name + "'";
      }
    cases += "    '" + Join(words, " ") + "') choices='" + Join(choices, " ") + "'" +
             (TakesFile(command) ? " takes_file=1" : "") + " ;;\n";
  });
  // The options of the program itself may stand behind every command.
  std::string common;
  for (const OptionHelp& option : program.options)
    for (const std::string& name : option.names) common += " " + name;
  script +=
      "_edgemoe() {\n"
      "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
      "  local path='' choices='' takes_file='' i\n"
      "  local commands=' ";
  ForEachCommand(program, [&](const CommandHelp&, const std::vector<std::string>& words) {
    if (!words.empty()) script += "|" + Join(words, " ");
  });
  script +=
      "|'\n"
      "  for ((i = 1; i < COMP_CWORD; ++i)); do\n"
      "    local longer=${path:+$path }${COMP_WORDS[i]}\n"
      "    [[ $commands == *\"|$longer|\"* ]] && path=$longer\n"
      "  done\n"
      "  case \"$path $before\" in\n";
  if (!files.empty())
    script += "    " + files + ") mapfile -t COMPREPLY < <(compgen -f -- \"$word\"); return ;;\n";
  if (!values.empty()) script += "    " + values + ") COMPREPLY=(); return ;;\n";
  script += "  esac\n  case $path in\n" + cases +
            "  esac\n"
            "  [[ -z $path ]] || choices+='" +
            common +
            "'\n"
            "  mapfile -t COMPREPLY < <(compgen -W \"$choices\" -- \"$word\")\n"
            "  if [[ -n $takes_file && $word != -* ]]; then\n"
            "    mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
            "  fi\n"
            "}\n"
            "complete -o filenames -F _edgemoe edgemoe\n";
  return script;
}

std::string ZshCompletion(const CommandHelp& program) {
  std::string script = "#compdef edgemoe\n" + std::string(kHeader);
  ForEachCommand(program, [&](const CommandHelp& command, const std::vector<std::string>& words) {
    script += "\n" + ZshFunction(words) + "() {\n";
    if (!command.commands.empty()) script += "  local curcontext=$curcontext state line\n";
    script += "  _arguments -C \\\n";
    for (const OptionHelp& option : command.options) AppendZshOption(script, option);
    if (!words.empty())
      for (const OptionHelp& option : program.options)
        if (option.names.back() != "--help") AppendZshOption(script, option);
    if (command.commands.empty()) {
      script += TakesFile(command) ? "    '*:file:_files'\n" : "    '*: :'\n";
    } else {
      AppendZshCommands(script, command, words);
    }
    script += "}\n";
  });
  return script + "\n_edgemoe \"$@\"\n";
}

std::string FishCompletion(const CommandHelp& program) {
  std::string script(kHeader);
  script += "complete -c edgemoe -f\n";
  ForEachCommand(program, [&](const CommandHelp& command, const std::vector<std::string>& words) {
    std::string condition;
    for (const std::string& word : words)
      condition += (condition.empty() ? "" : "; and ") + ("__fish_seen_subcommand_from " + word);
    std::vector<std::string> names;
    for (const CommandHelp& below : command.commands) names.push_back(below.name);
    for (const CommandHelp& below : command.commands)
      script += "complete -c edgemoe -n " +
                Quote((condition.empty() ? "" : condition + "; and ") +
                      ("not __fish_seen_subcommand_from " + Join(names, " "))) +
                " -a " + below.name + " -d " + Quote(below.text) + "\n";
    const std::string where = condition.empty() ? "" : " -n " + Quote(condition);
    for (const OptionHelp& option : command.options) {
      if (option.names.empty()) continue;
      script += "complete -c edgemoe" + where;
      for (const std::string& name : option.names)
        script += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      if (!option.value.empty()) script += option.is_file ? " -r -F" : " -x";
      script += " -d " + Quote(option.text) + "\n";
    }
    if (TakesFile(command)) script += "complete -c edgemoe" + where + " -F\n";
  });
  return script;
}

}  // namespace edgemoe::cli
