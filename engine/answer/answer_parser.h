// SPDX-License-Identifier: Apache-2.0
//
// Splits what a model writes into reasoning, content and tool calls while it writes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/answer/answer_event.h"
#include "engine/answer/answer_format.h"
#include "engine/answer/calls/call_reader.h"

namespace edgemoe {

class AnswerSplitter;
class EventWriter;

// Invariants:
// 1. Texts and calls do not depend on where the pieces given to Push end.
// 2. No part of a mark is given out as text. Held back is what may become a mark, white space that
//    would stand before one (kHeldSpaceBytesMax), a value whose type nobody told, a call's name and
//    what comes before it.
// 3. Marks in a code block are text, but for one that ends reasoning. So is what looks like a call
//    and is none: then an event says why. The text of a call is kept until it ends, up to
//    kCallBytesMax.
// 4. An answer without marks is content, byte for byte.
// White space beside the marks belongs to them.
//
// Memory: kCallBytesMax and little more. Cost: linear in the text. One thread at a time.
class AnswerParser {
 public:
  // `prompt`: what the template wrote, which may have begun the answer, as where it ends in
  // "<think>". Tools tell the types of arguments in formats whose values show none; a call without
  // any mark, or in the reasoning, is looked for only where there are tools.
  AnswerParser(const AnswerFormat& format, std::vector<AnswerTool> tools, std::string_view prompt);
  ~AnswerParser();
  AnswerParser(AnswerParser&&) noexcept;
  AnswerParser& operator=(AnswerParser&&) noexcept;

  // Appends what the next piece of the answer brought. Control tokens that are marks are in `text`
  // by name. Whole characters in, whole characters out.
  void Push(std::string_view text, std::vector<AnswerEvent>& events);
  // The answer has ended: appends what was held back. Once, last.
  void Finish(std::vector<AnswerEvent>& events);

  // What comes next is reasoning, as far as is known.
  bool in_reasoning() const;
  // Calls that are whole.
  std::uint32_t calls_ended() const;

 private:
  std::unique_ptr<const std::vector<AnswerTool>> tools_;
  std::unique_ptr<EventWriter> writer_;
  std::unique_ptr<AnswerSplitter> splitter_;
};

}  // namespace edgemoe
