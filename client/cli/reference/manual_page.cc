// SPDX-License-Identifier: Apache-2.0
#include "client/cli/reference/manual_page.h"

#include <sstream>
#include <string_view>

namespace edgemoe::cli {
namespace {

// A backslash and a hyphen are commands of roff, and so is a full stop or an apostrophe at the
// start of a line.
std::string Escape(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\\') {
      escaped += "\\e";
    } else if (c == '-') {
      escaped += "\\-";
    } else {
      escaped += c;
    }
  }
  if (escaped.starts_with('.') || escaped.starts_with('\'')) escaped.insert(0, "\\&");
  return escaped;
}

std::string Bold(std::string_view text) { return "\\fB" + Escape(text) + "\\fR"; }
std::string Italic(std::string_view text) { return "\\fI" + Escape(text) + "\\fR"; }

void AppendOption(std::string& page, const OptionHelp& option) {
  page += ".TP\n";
  std::string names;
  for (const std::string& name : option.names) names += (names.empty() ? "" : ", ") + Bold(name);
  if (!option.value.empty()) names += (names.empty() ? "" : " ") + Italic(option.value);
  page += names + "\n" + Escape(option.text) + "\n";
}

bool IsHelp(const OptionHelp& option) {
  return !option.names.empty() && option.names.back() == "--help";
}

// `path`: the names of the commands that it stands below, each with a space behind it.
void AppendCommand(std::string& page, const CommandHelp& command, const std::string& path) {
  const std::string name = path + command.name;
  std::string synopsis = Bold(name);
  bool has_options = false;
  for (const OptionHelp& option : command.options)
    has_options = has_options || (!option.names.empty() && !IsHelp(option));
  if (has_options) synopsis += " [" + Italic("OPTION") + "]...";
  for (const OptionHelp& option : command.options)
    if (option.names.empty()) synopsis += " [" + Italic(option.value) + "]";
  page += ".SS " + synopsis + "\n" + Escape(command.text) + ".\n";
  for (const OptionHelp& option : command.options)
    if (!IsHelp(option)) AppendOption(page, option);
  for (const CommandHelp& below : command.commands) AppendCommand(page, below, name + " ");
}

void AppendLines(std::string& page, const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) page += Escape(line) + "\n";
}

}  // namespace

std::string ManualPage(const CommandHelp& program, const ManualTexts& texts) {
  std::string page =
      ".\\\" SPDX-License-Identifier: Apache-2.0\n"
      ".\\\" Written by `edgemoe manual`.\n"
      ".TH EDGEMOE 1 \"\" \"EdgeMoE\" \"User Commands\"\n"
      ".SH NAME\n"
      "edgemoe \\- talks to edgemoed, the daemon that runs mixture\\-of\\-experts models\n"
      ".SH SYNOPSIS\n"
      "\\fBedgemoe\\fR [\\fIOPTION\\fR]... \\fICOMMAND\\fR ...\n"
      ".SH OPTIONS\n"
      "They may also stand behind the command.\n";
  for (const OptionHelp& option : program.options) AppendOption(page, option);
  page += ".SH COMMANDS\n";
  for (const CommandHelp& command : program.commands) AppendCommand(page, command, "");
  page += ".SH CONVERSATIONS\nIn a \\fBchat\\fR at a terminal:\n.nf\n";
  AppendLines(page, texts.conversation);
  page += ".fi\n.SH EXIT STATUS\n";
  AppendLines(page, texts.exit_codes);
  page +=
      ".SH ENVIRONMENT\n"
      ".TP\n\\fBEDGEMOE_SOCKET\\fR\nThe daemon's socket, where \\fB\\-\\-socket\\fR is not given.\n"
      ".TP\n\\fBEDGEMOE_HISTORY\\fR\nThe file with the lines that were typed in chats; empty: none "
      "is kept. Without it edgemoe/chat_history in \\fB$XDG_STATE_HOME\\fR or ~/.local/state.\n"
      ".TP\n\\fBHF_ENDPOINT\\fR, \\fBHF_TOKEN\\fR\nThe hub that models are downloaded from, and "
      "what lets one in.\n"
      ".SH SEE ALSO\n"
      "\\fBedgemoed\\fR(8), \\fBedgemoe\\-bench\\fR(1)\n";
  return page;
}

}  // namespace edgemoe::cli
