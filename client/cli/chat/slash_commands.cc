// SPDX-License-Identifier: Apache-2.0
#include "client/cli/chat/slash_commands.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

#include "client/cli/terminal/format_text.h"
#include "client/cli/terminal/nearest_word.h"

namespace edgemoe::cli {
namespace {

enum class Takes { kNothing, kMaybeText, kText };

struct SlashWord {
  SlashCommand command;
  const char* word;
  Takes takes;
  const char* argument;
  const char* help;
};

constexpr SlashWord kWords[] = {
    {SlashCommand::kClear, "/clear", Takes::kNothing, "",
     "forgets the conversation; system message and settings stay"},
    {SlashCommand::kExit, "/exit", Takes::kNothing, "", "leaves"},
    {SlashCommand::kFold, "/fold", Takes::kNothing, "", "hides or shows what the model thinks"},
    {SlashCommand::kHelp, "/help", Takes::kNothing, "", "tells this"},
    {SlashCommand::kLoad, "/load", Takes::kText, "FILE",
     "goes on with a saved conversation and its settings"},
    {SlashCommand::kRetry, "/retry", Takes::kNothing, "", "drops the last answer and asks again"},
    {SlashCommand::kSave, "/save", Takes::kText, "FILE",
     "saves conversation and settings; refuses a file that is there"},
    {SlashCommand::kSaveOver, "/save!", Takes::kText, "FILE", "saves, also over a file"},
    {SlashCommand::kSet, "/set", Takes::kMaybeText, "[NAME [VALUE]]",
     "shows the settings, or sets one; as VALUE, `default` is the model's own"},
    {SlashCommand::kSystem, "/system", Takes::kMaybeText, "[TEXT]",
     "shows the system message, or replaces it; as TEXT, `-` removes it"},
};

// As other programs call theirs.
constexpr std::pair<std::string_view, std::string_view> kOtherWords[] = {
    {"/bye", "/exit"}, {"/quit", "/exit"},   {"/q", "/exit"},      {"/new", "/clear"},
    {"/h", "/help"},   {"/regen", "/retry"}, {"/reset", "/clear"}, {"/read", "/load"},
};

bool IsSlashWord(std::string_view word) {
  if (word.ends_with('!') || word.ends_with('?')) word.remove_suffix(1);
  return std::ranges::all_of(word.substr(1), [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  });
}

std::string Refusal(const std::string& word) {
  std::vector<std::string> names;
  for (const SlashWord& one : kWords) names.emplace_back(one.word);
  std::string accepted;
  for (const std::string& name : names) accepted += (accepted.empty() ? "" : ", ") + name;
  const auto* const other =
      std::ranges::find(kOtherWords, word, &std::pair<std::string_view, std::string_view>::first);
  const std::string meant =
      NearestWord(other == std::end(kOtherWords) ? std::string_view(word) : other->second, names);
  return word + " is no command; there are " + accepted +
         (meant.empty() ? "" : "; did you mean " + meant + "?");
}

}  // namespace

TypedText ReadTyped(const std::string& text) {
  if (!text.starts_with('/')) return {.text = text};
  const std::size_t space = text.find_first_of(" \t\n");
  const std::string word = text.substr(0, space);
  const auto* const found =
      std::ranges::find_if(kWords, [&](const SlashWord& one) { return one.word == word; });
  if (found == std::end(kWords)) {
    const bool is_said = space != std::string::npos && !IsSlashWord(word);
    if (is_said) return {.text = text};
    return {.kind = TypedText::Kind::kRefused, .text = Refusal(word)};
  }
  const std::size_t begin = text.find_first_not_of(" \t\n", word.size());
  const std::size_t end = text.find_last_not_of(" \t\n") + 1;
  std::string argument = begin == std::string::npos ? "" : text.substr(begin, end - begin);
  if (found->takes == Takes::kNothing && !argument.empty())
    return {.kind = TypedText::Kind::kRefused,
            .text = word + ": found \"" + argument + "\" behind it; accepted: nothing"};
  if (found->takes == Takes::kText && argument.empty())
    return {.kind = TypedText::Kind::kRefused,
            .text = word + ": found nothing behind it; accepted: " + found->argument};
  return {
      .kind = TypedText::Kind::kCommand, .command = found->command, .text = std::move(argument)};
}

std::string SlashHelp() {
  std::string help;
  for (const SlashWord& one : kWords) {
    const std::string usage = std::string(one.word) + " " + one.argument;
    help += Format("%-21s %s\n", usage.c_str(), one.help);
  }
  return help +
         "Everything else is said. Several lines: between two lines \"\"\", or each but the last "
         "with \\ at its end.\n"
         "A line that begins with a space is said, too, and left out of the history.\n";
}

}  // namespace edgemoe::cli
