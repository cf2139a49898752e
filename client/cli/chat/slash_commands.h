// SPDX-License-Identifier: Apache-2.0
//
// What is typed in a conversation and is not said to the model.
#pragma once

#include <string>

namespace edgemoe::cli {

enum class SlashCommand {
  kClear,
  kExit,
  kFold,
  kHelp,
  kLoad,
  kRetry,
  kSave,
  kSaveOver,
  kSet,
  kSystem,
};

struct TypedText {
  enum class Kind {
    kSaid,     // to the model
    kCommand,  // `command`, with `text` behind it
    kRefused,  // neither: `text` says what is wrong with it
  };
  Kind kind = Kind::kSaid;
  SlashCommand command = SlashCommand::kHelp;
  std::string text{};
};

// A first word of a slash and letters is a command's or a mistake, which is not said; what only
// begins with a slash, as a path does, is said.
TypedText ReadTyped(const std::string& text);

// A line for each command, and how to write what has several lines.
std::string SlashHelp();

}  // namespace edgemoe::cli
