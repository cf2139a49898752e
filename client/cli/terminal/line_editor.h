// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <histedit.h>

#include <cwchar>
#include <string>

#include "client/cli/terminal/interrupts.h"

namespace edgemoe::cli {

// Lines typed at a terminal, with editing and a history of those that were remembered.
class LineEditor {
 public:
  enum class Outcome { kLine, kInterrupted, kEnd };

  explicit LineEditor(Interrupts& interrupts);
  ~LineEditor();
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;

  // Waits for a line, without its line break. kInterrupted on Ctrl-C, kEnd on Ctrl-D.
  Outcome Read(std::string& line, const char* prompt);

  // Keeps a line to be found again with the arrow keys; of these at most kHistoryLines, the last.
  static constexpr int kHistoryLines = 1000;
  void Remember(const std::string& line);

 private:
  static int ReadCharacter(EditLine* editor, wchar_t* character);
  static const char* Prompt(EditLine* editor);
  int NextByte(char* byte);

  Interrupts& interrupts_;
  const char* prompt_ = "";
  History* history_;
  EditLine* editor_;
  std::mbstate_t decoder_{};
  bool interrupted_ = false;
};

}  // namespace edgemoe::cli
