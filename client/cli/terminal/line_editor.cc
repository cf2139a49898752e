// SPDX-License-Identifier: Apache-2.0
#include "client/cli/terminal/line_editor.h"

#include <langinfo.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <clocale>
#include <cstdio>
#include <cstring>

namespace edgemoe::cli {
namespace {

// Text is UTF-8 wherever we run, also where no locale was set up.
void UseUtf8() {
  std::setlocale(LC_CTYPE, "");
  if (std::strcmp(::nl_langinfo(CODESET), "UTF-8") != 0) std::setlocale(LC_CTYPE, "C.UTF-8");
}

}  // namespace

LineEditor::LineEditor(Interrupts& interrupts) : interrupts_(interrupts) {
  UseUtf8();
  history_ = ::history_init();
  HistEvent event;
  ::history(history_, &event, H_SETSIZE, kHistoryLines);
  editor_ = ::el_init("edgemoe", stdin, stdout, stderr);
  ::el_set(editor_, EL_CLIENTDATA, this);
  ::el_set(editor_, EL_EDITOR, "emacs");
  ::el_set(editor_, EL_PROMPT, &LineEditor::Prompt);
  ::el_set(editor_, EL_GETCFN, &LineEditor::ReadCharacter);
  ::el_set(editor_, EL_HIST, &::history, history_);
}

LineEditor::~LineEditor() {
  ::el_end(editor_);
  ::history_end(history_);
}

const char* LineEditor::Prompt(EditLine* editor) {
  LineEditor* self = nullptr;
  ::el_get(editor, EL_CLIENTDATA, &self);
  return self->prompt_;
}

// 1: a byte; 0: the end; -1: interrupted, or an error.
int LineEditor::NextByte(char* byte) {
  std::array<pollfd, 2> wait = {{{STDIN_FILENO, POLLIN, 0}, {interrupts_.fd(), POLLIN, 0}}};
  for (;;) {
    if (::poll(wait.data(), wait.size(), -1) < 0) {
      if (errno == EINTR) continue;
      return -1;
    }
    if (wait[1].revents != 0 && interrupts_.Take()) {
      interrupted_ = true;
      errno = EINTR;
      return -1;
    }
    const ssize_t count = ::read(STDIN_FILENO, byte, 1);
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    return static_cast<int>(count);
  }
}

int LineEditor::ReadCharacter(EditLine* editor, wchar_t* character) {
  LineEditor* self = nullptr;
  ::el_get(editor, EL_CLIENTDATA, &self);
  for (;;) {
    char byte = 0;
    const int outcome = self->NextByte(&byte);
    if (outcome <= 0) return outcome;
    const std::size_t bytes = std::mbrtowc(character, &byte, 1, &self->decoder_);
    if (bytes == static_cast<std::size_t>(-2)) continue;
    if (bytes == static_cast<std::size_t>(-1)) {
      // Not UTF-8: dropped.
      self->decoder_ = {};
      continue;
    }
    return 1;
  }
}

LineEditor::Outcome LineEditor::Read(std::string& line, const char* prompt) {
  prompt_ = prompt;
  interrupted_ = false;
  decoder_ = {};
  // Before the prompt is seen: from then on each key is the editor's, none the terminal's own.
  ::el_set(editor_, EL_PREP_TERM, 1);
  int count = 0;
  const char* text = ::el_gets(editor_, &count);
  if (interrupted_) {
    std::fputs("^C\n", stdout);
    return Outcome::kInterrupted;
  }
  if (text == nullptr || count <= 0) {
    std::fputs("\n", stdout);
    return Outcome::kEnd;
  }
  line.assign(text, static_cast<std::size_t>(count));
  while (line.ends_with('\n') || line.ends_with('\r')) line.pop_back();
  return Outcome::kLine;
}

void LineEditor::Remember(const std::string& line) {
  HistEvent event;
  ::history(history_, &event, H_ENTER, line.c_str());
}

}  // namespace edgemoe::cli
