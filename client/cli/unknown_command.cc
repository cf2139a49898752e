// SPDX-License-Identifier: Apache-2.0
#include "client/cli/unknown_command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

#include "client/cli/terminal/nearest_word.h"

namespace edgemoe::cli {
namespace {

// The command that somebody means who types `word`; empty where there is none.
std::string MeantCommand(std::string_view word, const std::vector<std::string>& names) {
  // As ollama and llama.cpp call theirs.
  using Names = std::pair<std::string_view, std::string_view>;
  constexpr Names kOtherNames[] = {
      {"list", "models"},       {"ls", "models"},     {"show", "models"},  {"download", "pull"},
      {"rm", "models"},         {"run", "chat"},      {"cli", "chat"},     {"bench", "probe"},
      {"generate", "complete"}, {"quantize", "pack"}, {"status", "stats"}, {"stop", "abort"},
      {"kill", "abort"},        {"top", "ps"},
  };
  const auto* const other = std::ranges::find(kOtherNames, word, &Names::first);
  if (other != std::end(kOtherNames)) word = other->second;
  return NearestWord(word, names);
}

}  // namespace

std::string UnknownCommand(const CLI::App& root) {
  const CLI::App* app = &root;
  while (!app->get_subcommands().empty()) app = app->get_subcommands().front();
  // A word that a command does not know falls through to the root.
  const std::vector<std::string> words = root.remaining(/*recurse=*/true);
  if (words.empty()) return "";
  std::vector<std::string> names;
  for (const CLI::App* command : app->get_subcommands(nullptr))
    names.push_back(command->get_name());
  std::string accepted;
  for (const std::string& name : names) accepted += (accepted.empty() ? "" : ", ") + name;
  const std::string meant = MeantCommand(words.front(), names);
  return "command: found \"" + words.front() + "\"; accepted: " + accepted +
         (meant.empty() ? "" : "; did you mean \"" + meant + "\"?");
}

}  // namespace edgemoe::cli
