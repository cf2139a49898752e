// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <histedit.h>

#include <cwchar>
#include <string>

#include "client/cli/terminal/interrupts.h"

namespace edgemoe::cli {

// Lines typed at a terminal, with editing and a history of this conversation's lines.
class LineEditor {
 public:
  enum class Outcome { kLine, kInterrupted, kEnd };

  LineEditor(Interrupts& interrupts, const char* prompt);
  ~LineEditor();
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;

  // Waits for a line, without its line break. kInterrupted on Ctrl-C, kEnd on Ctrl-D.
  Outcome Read(std::string& line);

 private:
  static constexpr int kHistoryLines = 1000;

  static int ReadCharacter(EditLine* editor, wchar_t* character);
  static const char* Prompt(EditLine* editor);
  int NextByte(char* byte);

  Interrupts& interrupts_;
  const char* prompt_;
  History* history_;
  EditLine* editor_;
  std::mbstate_t decoder_{};
  bool interrupted_ = false;
};

}  // namespace edgemoe::cli
