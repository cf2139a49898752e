// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/answer/answer_format.h"
#include "engine/answer/answer_splitter.h"
#include "engine/answer/calls/call_reader.h"
#include "engine/answer/code_fence.h"
#include "engine/base/sequence_matcher.h"

namespace edgemoe {

// Answers whose content is text without marks, with reasoning and calls between marks of their own.
// Reasoning may come first, and again after a call. A call may stand in the reasoning, which goes
// on behind it: some models call before they have closed it. These are looked for only where there
// are tools, and no more once one turned out to be none.
class MarkedAnswer : public AnswerSplitter {
 public:
  // `tools` outlive the splitter.
  MarkedAnswer(const AnswerFormat& format, std::span<const AnswerTool> tools,
               std::string_view prompt);
  void Push(char byte, EventWriter& out) override;
  void Finish(EventWriter& out) override;
  bool in_reasoning() const override { return part_ == Part::kReasoning; }

 private:
  enum class Part : std::uint8_t { kContent, kReasoning, kCall };
  void TakeText(std::string_view text, EventWriter& out);
  void TakeByte(char byte, EventWriter& out);
  void WriteSpace(EventWriter& out);
  void Match(std::size_t mark, EventWriter& out);
  void BeginPart(Part part);
  void BeginCall(std::string_view mark);
  std::vector<std::string> ReasoningMarks(bool with_calls) const;
  void ReadCall(char byte, EventWriter& out);
  void GiveUp(std::string_view why, EventWriter& out);
  AnswerEvent::Kind text_kind() const {
    return part_ == Part::kReasoning ? AnswerEvent::Kind::kReasoning : AnswerEvent::Kind::kContent;
  }

  const AnswerFormat format_;
  const std::span<const AnswerTool> tools_;
  Part part_ = Part::kContent;
  SequenceMatcher content_marks_;    // those of calls, then the one that opens reasoning
  SequenceMatcher reasoning_marks_;  // the one that closes it, then those of calls
  std::size_t call_mark_count_ = 0;
  bool holds_space_;
  bool after_part_ = false;  // only white space has come since a part ended: it is dropped
  bool begun_ = false;       // text has come in this part
  std::string space_;        // held back: a mark may follow
  CodeFence fence_;
  std::unique_ptr<CallReader> reader_;
  Part part_around_call_ = Part::kContent;
  bool call_ended_ = false;  // the reader has read one
  std::string call_text_;    // what was read since the last call ended, its opening mark included
};

}  // namespace edgemoe
