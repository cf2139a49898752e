// SPDX-License-Identifier: Apache-2.0
//
// Calls written as functions: Python's [f(a=1), g()] and Gemma's call:f{a:1}.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/answer/calls/call_reader.h"
#include "engine/answer/calls/json_call.h"
#include "engine/answer/calls/literal_reader.h"
#include "engine/base/sequence_matcher.h"

namespace edgemoe {

struct FunctionSyntax {
  LiteralStyle style;
  std::string_view before_name;  // "call:"
  char opening;
  char equals;
  char closing;
  bool list;  // in brackets; JSON's objects may stand in place of functions
  std::string_view close_mark;
};

class FunctionCalls : public CallReader {
 public:
  explicit FunctionCalls(const FunctionSyntax& syntax);
  ReadStep Push(char byte, CallSink& sink) override;
  std::string_view problem() const override { return problem_; }
  bool may_end() const override { return state_ == State::kClose || state_ == State::kAfterCall; }

 private:
  enum class State : std::uint8_t {
    kBracket,
    kBeforeName,
    kName,
    kKeyOrEnd,
    kKey,
    kValue,
    kAfterValue,
    kAfterCall,
    kJson,
    kClose,
  };
  ReadStep Fail(std::string_view problem);
  ReadStep BeforeName(char byte, CallSink& sink);
  ReadStep Key(char byte, CallSink& sink);
  ReadStep Value(char byte, CallSink& sink);
  ReadStep EndCall(CallSink& sink);
  ReadStep Close(char byte);

  const FunctionSyntax syntax_;
  State state_;
  std::string name_;
  std::string key_;
  std::size_t prefix_matched_ = 0;
  bool first_argument_ = true;
  std::optional<LiteralReader> value_;
  JsonCalls json_;
  SequenceMatcher close_;
  std::string_view problem_;
};

}  // namespace edgemoe
