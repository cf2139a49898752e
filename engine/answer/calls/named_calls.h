// SPDX-License-Identifier: Apache-2.0
//
// Calls whose name stands before their JSON: DeepSeek's and Kimi's sections, Mistral's, and the
// JSON objects of Hermes and Llama.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "engine/answer/calls/call_reader.h"
#include "engine/answer/calls/json_call.h"
#include "engine/base/sequence_matcher.h"

namespace edgemoe {

// One JsonCall, then the closing mark, if there is one.
class MarkedJsonCall : public CallReader {
 public:
  // Without a mark only calls of `tools` are calls, and they have arguments.
  MarkedJsonCall(std::string_view close_mark, std::span<const AnswerTool> tools);
  ReadStep Push(char byte, CallSink& sink) override;
  std::string_view problem() const override { return problem_; }
  bool may_end() const override { return call_done_; }

 private:
  const bool marked_;
  const std::span<const AnswerTool> tools_;
  JsonCall call_;
  bool call_done_ = false;
  SequenceMatcher close_;
  std::string_view problem_;
};

struct SectionMarks {
  std::string_view call_begin;
  std::string_view separator;
  std::string_view call_end;
  std::string_view section_end;
  // What stands before the separator is "functions.NAME:INDEX", an id with the name in it.
  bool name_in_id;
};
extern const SectionMarks kDeepSeekMarks;
extern const SectionMarks kKimiMarks;

// Calls up to the section's end. DeepSeek has two forms: NAME sep {…}, and "function" sep NAME with
// the object in a code block.
class SectionCalls : public CallReader {
 public:
  explicit SectionCalls(const SectionMarks& marks);
  ReadStep Push(char byte, CallSink& sink) override;
  std::string_view problem() const override { return problem_; }
  bool may_end() const override {
    return state_ == State::kBetween || state_ == State::kBlockEnd || state_ == State::kCallEnd;
  }

 private:
  enum class State : std::uint8_t {
    kBetween,
    kHeader,
    kNameOrJson,
    kName,
    kBlock,
    kArguments,
    kBlockEnd,
    kCallEnd,
  };
  void Enter(State state);
  ReadStep Fail(std::string_view problem);
  ReadStep Match(std::size_t mark);
  ReadStep Take(char byte);
  ReadStep Arguments(char byte, CallSink& sink);
  bool Begin(CallSink& sink);

  const SectionMarks& section_;
  State state_ = State::kBetween;
  SequenceMatcher marks_;
  std::string header_;
  bool in_block_ = false;
  JsonArguments arguments_;
  std::string_view problem_;
};

// After [TOOL_CALLS]: JsonCalls, or NAME[ARGS]{…}, where [CALL_ID]ID may come before [ARGS] and
// [ARGS] may be missing.
class MistralCalls : public CallReader {
 public:
  MistralCalls();
  ReadStep Push(char byte, CallSink& sink) override;
  std::string_view problem() const override { return problem_; }
  bool may_end() const override { return false; }

 private:
  enum class State : std::uint8_t { kStart, kJson, kName, kId, kArguments };
  ReadStep Fail(std::string_view problem);
  ReadStep Header(char byte, CallSink& sink);

  State state_ = State::kStart;
  SequenceMatcher marks_;
  std::string name_, id_;
  JsonCalls json_;
  JsonArguments arguments_;
  std::string_view problem_;
};

}  // namespace edgemoe
