// SPDX-License-Identifier: Apache-2.0
//
// Calls whose arguments stand between tags as they are: GLM's, Qwen3-Coder's, MiniMax's and
// DeepSeek's DSML.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "engine/answer/calls/call_reader.h"
#include "engine/base/sequence_matcher.h"

namespace edgemoe {

struct CallTags {
  std::string_view before_name;  // empty: the name comes at once
  std::string_view after_name;   // empty: the next tag ends it
  std::string_view before_key;
  std::string_view after_key;
  std::string_view after_text_key;  // in its place before a value that is a text; empty: none
  std::string_view before_value;    // empty: the value follows its key
  std::string_view after_value;
  bool value_in_lines;  // a line feed after the opening tag and before the closing one is no part
  std::string_view after_call;
  std::string_view close_mark;  // empty: after_call is the last tag
  bool several;                 // calls may stand before close_mark
};

// A value whose parameter is a text, as its tag or the tool (AnswerTool) tells, is given on while
// it comes. Of others the whole is JSON where it can be read as JSON, and a text otherwise.
class TaggedCalls : public CallReader {
 public:
  // `tags` and `tools` outlive the reader.
  TaggedCalls(const CallTags& tags, std::span<const AnswerTool> tools);
  ReadStep Push(char byte, CallSink& sink) override;
  std::string_view problem() const override { return problem_; }
  bool may_end() const override { return state_ == State::kClose; }

 private:
  enum class State : std::uint8_t {
    kBeforeName,
    kName,
    kBetween,
    kKey,
    kBeforeValue,
    kValue,
    kClose,
  };
  void Enter(State state);
  ReadStep Fail(std::string_view problem);
  bool Take(std::string_view text, CallSink& sink);
  bool TakeValue(std::string_view text, CallSink& sink);
  ReadStep Match(std::size_t mark, CallSink& sink);
  bool BeginCall(CallSink& sink);
  void BeginValue(CallSink& sink);
  bool IsTextParameter(std::string_view key) const;
  void EndValue(CallSink& sink);
  ReadStep EndCall(CallSink& sink);

  const CallTags& tags_;
  const std::span<const AnswerTool> tools_;
  State state_ = State::kBeforeName;
  SequenceMatcher marks_;
  std::string name_;
  std::string key_;
  std::string value_;
  bool key_says_text_ = false;
  bool value_is_text_ = false;
  bool value_begun_ = false;
  bool first_argument_ = true;
  std::string_view problem_;
};

extern const CallTags kGlmTags;
extern const CallTags kQwenCoderTags;
extern const CallTags kMiniMaxTags;
extern const CallTags kDsmlFunctionCallsTags;
extern const CallTags kDsmlToolCallsTags;

}  // namespace edgemoe
