// SPDX-License-Identifier: Apache-2.0
#include "engine/answer/calls/function_calls.h"

namespace edgemoe {
FunctionCalls::FunctionCalls(const FunctionSyntax& syntax)
    : syntax_(syntax),
      state_(syntax.list ? State::kBracket : State::kBeforeName),
      close_({std::string(syntax.close_mark)}) {}

ReadStep FunctionCalls::Fail(std::string_view problem) {
  problem_ = problem;
  return ReadStep::kFailed;
}

ReadStep FunctionCalls::Push(char byte, CallSink& sink) {
  switch (state_) {
    case State::kBracket:
      if (IsCallSpace(byte)) return ReadStep::kMore;
      state_ = State::kBeforeName;
      return byte == '[' ? ReadStep::kMore : Fail("a list of calls without a bracket");
    case State::kBeforeName: return BeforeName(byte, sink);
    case State::kName:
      if (byte == syntax_.opening && !name_.empty()) {
        sink.Begin(name_, {});
        sink.Arguments("{");
        name_.clear();
        first_argument_ = true;
        state_ = State::kKeyOrEnd;
        return ReadStep::kMore;
      }
      name_ += byte;
      if (!IsCallNameByte(byte) || name_.size() > kCallNameBytesMax)
        return Fail("a call without a name");
      return ReadStep::kMore;
    case State::kKeyOrEnd:
    case State::kKey: return Key(byte, sink);
    case State::kValue:
    case State::kAfterValue: return Value(byte, sink);
    case State::kAfterCall:
      if (IsCallSpace(byte)) return ReadStep::kMore;
      if (byte == ',') {
        state_ = State::kBeforeName;
        return ReadStep::kMore;
      }
      state_ = State::kClose;
      return byte == ']' ? ReadStep::kMore : Fail("no comma or bracket after a call");
    case State::kJson: {
      const ReadStep step = json_.Push(byte, sink);
      if (step == ReadStep::kFailed) return Fail(json_.problem());
      if (step == ReadStep::kDone) state_ = State::kClose;
      return ReadStep::kMore;
    }
    case State::kClose: return Close(byte);
  }
  return Fail("");
}

ReadStep FunctionCalls::BeforeName(char byte, CallSink& sink) {
  if (prefix_matched_ == 0 && IsCallSpace(byte)) return ReadStep::kMore;
  if (syntax_.list && byte == '{') {
    state_ = State::kJson;
    const ReadStep bracket = json_.Push('[', sink);
    return bracket == ReadStep::kMore ? json_.Push(byte, sink) : bracket;
  }
  if (prefix_matched_ < syntax_.before_name.size()) {
    if (byte != syntax_.before_name[prefix_matched_]) return Fail("no call where one should be");
    if (++prefix_matched_ == syntax_.before_name.size()) state_ = State::kName;
    return ReadStep::kMore;
  }
  state_ = State::kName;
  return Push(byte, sink);
}

ReadStep FunctionCalls::Key(char byte, CallSink& sink) {
  if (key_.empty() && IsCallSpace(byte)) return ReadStep::kMore;
  if (byte == syntax_.closing && state_ == State::kKeyOrEnd) return EndCall(sink);
  state_ = State::kKey;
  if (byte == syntax_.equals && !key_.empty()) {
    std::string_view key = key_;
    TrimSpace(key);
    sink.Arguments((first_argument_ ? "" : ", ") + JsonText(key) + ": ");
    key_.clear();
    first_argument_ = false;
    value_.emplace(syntax_.style);
    state_ = State::kValue;
    return ReadStep::kMore;
  }
  key_ += byte;
  if ((!IsCallNameByte(byte) && !IsCallSpace(byte)) || key_.size() > kCallNameBytesMax)
    return Fail("an argument without a name");
  return ReadStep::kMore;
}

ReadStep FunctionCalls::Value(char byte, CallSink& sink) {
  if (state_ == State::kValue) {
    std::string json;
    const LiteralReader::Step step = value_->Push(byte, json);
    if (step == LiteralReader::Step::kFailed) return Fail("an argument that is no value");
    sink.Arguments(json);
    if (step == LiteralReader::Step::kMore) return ReadStep::kMore;
    state_ = State::kAfterValue;
    if (step == LiteralReader::Step::kDone) return ReadStep::kMore;
  }
  if (IsCallSpace(byte)) return ReadStep::kMore;
  if (byte == syntax_.closing) return EndCall(sink);
  state_ = State::kKey;
  return byte == ',' ? ReadStep::kMore : Fail("no comma after an argument");
}

ReadStep FunctionCalls::EndCall(CallSink& sink) {
  sink.Arguments("}");
  sink.End();
  prefix_matched_ = 0;
  state_ = syntax_.list ? State::kAfterCall : State::kClose;
  return ReadStep::kMore;
}

ReadStep FunctionCalls::Close(char byte) {
  std::string other;
  if (close_.Push(std::string_view(&byte, 1), other)) return ReadStep::kDone;
  for (const char c : other) {
    if (!IsCallSpace(c)) return Fail("text after a call, before its closing mark");
  }
  return ReadStep::kMore;
}

}  // namespace edgemoe
