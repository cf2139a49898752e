// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "engine/answer/answer_splitter.h"
#include "engine/answer/calls/json_call.h"
#include "engine/answer/code_fence.h"
#include "engine/base/sequence_matcher.h"

namespace edgemoe {

constexpr std::size_t kHarmonyHeaderBytesMax = 512;

// Answers of gpt-oss, which are a sequence of messages: a header that names channel and recipient,
// <|message|>, the text, and a mark that ends it. Channel "analysis" is reasoning, what has a
// recipient is a call, everything else content. Two texts of a kind are set apart by an empty line.
class HarmonyAnswer : public AnswerSplitter {
 public:
  // The prompt ends in the header of the first message.
  explicit HarmonyAnswer(std::string_view prompt);
  void Push(char byte, EventWriter& out) override;
  void Finish(EventWriter& out) override;
  bool in_reasoning() const override { return part_ == Part::kReasoning; }

 private:
  enum class Part : std::uint8_t { kHeader, kContent, kReasoning, kCall, kAfterCall };
  void ReadHeader(char byte, EventWriter& out);
  void EndHeader(EventWriter& out);
  void BeginHeader(std::string_view mark);
  void BeginText(Part part);
  void ReadText(char byte, EventWriter& out);
  void TakeText(std::string_view text, EventWriter& out);
  void ReadCall(char byte, EventWriter& out);
  void GiveUp(std::string_view why, EventWriter& out);

  Part part_ = Part::kHeader;
  std::string header_;
  SequenceMatcher header_end_;
  SequenceMatcher text_ends_;
  CodeFence fence_;
  bool apart_ = false;  // an empty line is due before the text
  bool had_content_ = false;
  bool had_reasoning_ = false;
  JsonArguments arguments_;
  std::string call_text_;
};

}  // namespace edgemoe
