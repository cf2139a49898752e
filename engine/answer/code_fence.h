// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace edgemoe {

// Follows a Markdown text byte by byte and knows whether it stands in a fenced code block: between
// a line that begins with three or more backticks or tildes and one with at least as many of the
// same (CommonMark 0.31, section 4.5).
class CodeFence {
 public:
  void Push(char byte);
  // The next byte belongs to a block. False behind the marks that may close it, as long as only
  // space follows them; true behind three that may open one.
  bool inside() const;
  // The text begins anew.
  void Reset() { *this = CodeFence(); }

 private:
  enum class Line : std::uint8_t { kIndent, kRun, kOpening, kClosing, kRest };
  void EndRun();
  bool closes() const { return open_ && run_mark_ == mark_ && run_ >= length_; }

  bool open_ = false;
  char mark_ = 0;  // of the block
  std::size_t length_ = 0;
  Line line_ = Line::kIndent;
  int indent_ = 0;
  char run_mark_ = 0;
  std::size_t run_ = 0;
};

}  // namespace edgemoe
