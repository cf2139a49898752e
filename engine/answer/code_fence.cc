// SPDX-License-Identifier: Apache-2.0
#include "engine/answer/code_fence.h"

namespace edgemoe {
namespace {

constexpr std::size_t kFenceMarks = 3;
constexpr int kIndentMax = 3;

}  // namespace

void CodeFence::EndRun() {
  if (closes()) {
    line_ = Line::kClosing;
  } else if (!open_ && run_ >= kFenceMarks) {
    open_ = true;
    mark_ = run_mark_;
    length_ = run_;
    line_ = Line::kOpening;
  } else {
    line_ = Line::kRest;
  }
}

void CodeFence::Push(char byte) {
  if (line_ == Line::kIndent && byte == ' ' && indent_ < kIndentMax) {
    ++indent_;
    return;
  }
  if (line_ == Line::kIndent) {
    line_ = byte == '`' || byte == '~' ? Line::kRun : Line::kRest;
    run_mark_ = byte;
    run_ = 0;
  }
  if (line_ == Line::kRun) {
    if (byte == run_mark_) {
      ++run_;
      return;
    }
    EndRun();
  }
  // What follows opening backticks on their line has none itself: `code` on one line is no block.
  if (line_ == Line::kOpening && mark_ == '`' && byte == '`') {
    open_ = false;
    line_ = Line::kRest;
  }
  const bool blank = byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
  if (line_ == Line::kClosing && !blank) line_ = Line::kRest;
  if (byte != '\n') return;
  if (line_ == Line::kClosing) open_ = false;
  line_ = Line::kIndent;
  indent_ = 0;
}

bool CodeFence::inside() const {
  if (line_ == Line::kRun && !open_) return run_ >= kFenceMarks;
  if (line_ == Line::kRun && closes()) return false;
  return open_ && line_ != Line::kClosing;
}

}  // namespace edgemoe
