// SPDX-License-Identifier: Apache-2.0
#include "engine/answer/marked_answer.h"

#include <utility>
#include <vector>

#include "engine/answer/calls/call_syntax.h"

namespace edgemoe {
namespace {

std::vector<std::string> ContentMarks(const AnswerFormat& format) {
  std::vector<std::string> marks = CallMarks(format.calls);
  if (!format.reasoning_open.empty()) marks.emplace_back(format.reasoning_open);
  return marks;
}

}  // namespace

MarkedAnswer::MarkedAnswer(const AnswerFormat& format, std::span<const AnswerTool> tools,
                           std::string_view prompt)
    : format_(format),
      tools_(tools),
      content_marks_(ContentMarks(format)),
      reasoning_marks_(ReasoningMarks(/*with_calls=*/!tools.empty())),
      call_mark_count_(CallMarks(format.calls).size()),
      holds_space_(format.has_parts()) {
  while (!prompt.empty() && IsCallSpace(prompt.back())) prompt.remove_suffix(1);
  if (!format.reasoning_open.empty() && prompt.ends_with(format.reasoning_open)) {
    BeginPart(Part::kReasoning);
  } else if (!format.reasoning_close.empty() && prompt.ends_with(format.reasoning_close)) {
    BeginPart(Part::kContent);
  }
}

std::vector<std::string> MarkedAnswer::ReasoningMarks(bool with_calls) const {
  if (format_.reasoning_close.empty()) return {};
  std::vector<std::string> marks = {std::string(format_.reasoning_close)};
  if (!with_calls) return marks;
  for (std::string& mark : CallMarks(format_.calls)) marks.push_back(std::move(mark));
  return marks;
}

void MarkedAnswer::BeginPart(Part part) {
  part_ = part;
  after_part_ = true;
  begun_ = false;
  space_.clear();
  fence_.Reset();
}

void MarkedAnswer::Push(char byte, EventWriter& out) {
  if (part_ == Part::kCall) {
    ReadCall(byte, out);
    return;
  }
  SequenceMatcher& marks = part_ == Part::kReasoning ? reasoning_marks_ : content_marks_;
  const bool bare_call = format_.calls == CallSyntax::kLlama && part_ == Part::kContent &&
                         !tools_.empty() && !begun_ && !marks.holds() && byte == '{';
  if (bare_call) {
    BeginCall("");
    ReadCall(byte, out);
    return;
  }
  std::string text;
  const std::optional<std::size_t> mark = marks.Push(std::string_view(&byte, 1), text);
  TakeText(text, out);
  if (mark) Match(*mark, out);
}

void MarkedAnswer::Match(std::size_t mark, EventWriter& out) {
  if (part_ == Part::kReasoning) {
    if (mark == 0) {
      BeginPart(Part::kContent);
    } else if (fence_.inside()) {
      TakeText(reasoning_marks_.sequence(mark), out);
    } else {
      BeginCall(reasoning_marks_.sequence(mark));
    }
    return;
  }
  const bool opens_reasoning = mark >= call_mark_count_;
  const std::string& text = content_marks_.sequence(mark);
  if (fence_.inside() || (opens_reasoning && begun_)) {
    TakeText(text, out);
  } else if (opens_reasoning) {
    BeginPart(Part::kReasoning);
  } else {
    BeginCall(text);
  }
}

void MarkedAnswer::TakeText(std::string_view text, EventWriter& out) {
  for (const char byte : text) TakeByte(byte, out);
}

void MarkedAnswer::TakeByte(char byte, EventWriter& out) {
  fence_.Push(byte);
  if (IsCallSpace(byte) && holds_space_) {
    if (after_part_) return;
    space_ += byte;
    if (space_.size() > kHeldSpaceBytesMax) WriteSpace(out);
    return;
  }
  after_part_ = false;
  begun_ = true;
  WriteSpace(out);
  out.Text(text_kind(), std::string_view(&byte, 1));
}

void MarkedAnswer::WriteSpace(EventWriter& out) {
  out.Text(text_kind(), space_);
  space_.clear();
}

void MarkedAnswer::BeginCall(std::string_view mark) {
  part_around_call_ = std::exchange(part_, Part::kCall);
  reader_ = MakeCallReader(format_.calls, tools_);
  call_ended_ = false;
  call_text_ = std::exchange(space_, {});
  call_text_ += mark;
}

void MarkedAnswer::ReadCall(char byte, EventWriter& out) {
  call_text_ += byte;
  const std::uint32_t ended = out.calls_ended();
  const ReadStep step = reader_->Push(byte, out);
  if (out.calls_ended() != ended) {
    call_ended_ = true;
    call_text_.clear();
  }
  if (step == ReadStep::kDone) {
    reader_.reset();
    call_text_.clear();
    BeginPart(part_around_call_);
  } else if (step == ReadStep::kFailed) {
    GiveUp(reader_->problem(), out);
  } else if (call_text_.size() >= kCallBytesMax) {
    GiveUp("a call that is longer than 256 KiB", out);
  } else if (out.calls_begun() > kCallsMax) {
    GiveUp("more than 128 calls", out);
  }
}

void MarkedAnswer::GiveUp(std::string_view why, EventWriter& out) {
  out.NotParsed(why);
  part_ = part_around_call_;
  reader_.reset();
  after_part_ = false;
  const std::string text = std::exchange(call_text_, {});
  if (part_ == Part::kContent) {
    TakeText(text, out);
    return;
  }
  // The reasoning may have been closed in it.
  reasoning_marks_ = SequenceMatcher(ReasoningMarks(/*with_calls=*/false));
  for (const char byte : text) Push(byte, out);
}

void MarkedAnswer::Finish(EventWriter& out) {
  // A second one where what was none in the reasoning closes it and begins another.
  while (part_ == Part::kCall) {
    if (call_ended_ && reader_->may_end()) return;
    GiveUp("a call that the answer's end cuts off", out);
  }
  SequenceMatcher& marks = part_ == Part::kReasoning ? reasoning_marks_ : content_marks_;
  TakeText(marks.TakeHeld(), out);
  WriteSpace(out);
}

}  // namespace edgemoe
