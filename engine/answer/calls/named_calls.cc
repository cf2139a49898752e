// SPDX-License-Identifier: Apache-2.0
#include "engine/answer/calls/named_calls.h"

#include <algorithm>

namespace edgemoe {
namespace {

constexpr std::string_view kNotAnObject = "a call whose arguments are no JSON object";
constexpr std::string_view kNoName = "a call without a name";
constexpr std::string_view kTextAfter = "text after a call, before its closing mark";

// Lets a call's beginning through only when its name is one of the tools'.
class KnownToolsOnly : public CallSink {
 public:
  KnownToolsOnly(CallSink& sink, std::span<const AnswerTool> tools) : sink_(sink), tools_(tools) {}
  void Begin(std::string_view name, std::string_view id) override {
    unknown_ = std::none_of(tools_.begin(), tools_.end(),
                            [&](const AnswerTool& tool) { return tool.name == name; });
    if (!unknown_) sink_.Begin(name, id);
  }
  void Arguments(std::string_view json) override {
    if (!unknown_) sink_.Arguments(json);
  }
  void End() override {
    if (!unknown_) sink_.End();
  }
  bool unknown() const { return unknown_; }

 private:
  CallSink& sink_;
  const std::span<const AnswerTool> tools_;
  bool unknown_ = false;
};

bool IsSpaceOnly(std::string_view text) {
  return std::all_of(text.begin(), text.end(), IsCallSpace);
}

}  // namespace

MarkedJsonCall::MarkedJsonCall(std::string_view close_mark, std::span<const AnswerTool> tools)
    : marked_(!close_mark.empty()),
      tools_(tools),
      call_(/*arguments_optional=*/marked_),
      close_({std::string(marked_ ? close_mark : " ")}) {}

ReadStep MarkedJsonCall::Push(char byte, CallSink& sink) {
  if (call_done_) {
    std::string other;
    if (close_.Push(std::string_view(&byte, 1), other)) return ReadStep::kDone;
    if (IsSpaceOnly(other)) return ReadStep::kMore;
    problem_ = kTextAfter;
    return ReadStep::kFailed;
  }
  if (!marked_) {
    KnownToolsOnly known(sink, tools_);
    const ReadStep step = call_.Push(byte, known);
    problem_ = known.unknown() ? "a call of a tool that was not given" : call_.problem();
    return known.unknown() ? ReadStep::kFailed : step;
  }
  const ReadStep step = call_.Push(byte, sink);
  problem_ = call_.problem();
  if (step != ReadStep::kDone) return step;
  call_done_ = true;
  return ReadStep::kMore;
}

constexpr SectionMarks kDeepSeekMarks = {
    .call_begin = "<\uFF5Ctool\u2581call\u2581begin\uFF5C>",
    .separator = "<\uFF5Ctool\u2581sep\uFF5C>",
    .call_end = "<\uFF5Ctool\u2581call\u2581end\uFF5C>",
    .section_end = "<\uFF5Ctool\u2581calls\u2581end\uFF5C>",
    .name_in_id = false,
};

constexpr SectionMarks kKimiMarks = {
    .call_begin = "<|tool_call_begin|>",
    .separator = "<|tool_call_argument_begin|>",
    .call_end = "<|tool_call_end|>",
    .section_end = "<|tool_calls_section_end|>",
    .name_in_id = true,
};

SectionCalls::SectionCalls(const SectionMarks& marks) : section_(marks), marks_({}) {
  Enter(State::kBetween);
}

void SectionCalls::Enter(State state) {
  state_ = state;
  switch (state) {
    case State::kBetween:
      marks_ =
          SequenceMatcher({std::string(section_.call_begin), std::string(section_.section_end)});
      break;
    case State::kHeader:
      header_.clear();
      marks_ = SequenceMatcher({std::string(section_.separator)});
      break;
    case State::kName:
      header_.clear();
      marks_ = SequenceMatcher({"\n"});
      break;
    case State::kBlock: marks_ = SequenceMatcher({"```json"}); break;
    case State::kArguments: arguments_ = JsonArguments(); break;
    case State::kBlockEnd: marks_ = SequenceMatcher({"```"}); break;
    case State::kCallEnd: marks_ = SequenceMatcher({std::string(section_.call_end)}); break;
    case State::kNameOrJson: break;
  }
}

ReadStep SectionCalls::Fail(std::string_view problem) {
  problem_ = problem;
  return ReadStep::kFailed;
}

ReadStep SectionCalls::Push(char byte, CallSink& sink) {
  if (state_ == State::kNameOrJson) {
    if (IsCallSpace(byte)) return ReadStep::kMore;
    in_block_ = byte != '{';
    Enter(in_block_ ? State::kName : State::kArguments);
    if (!in_block_ && !Begin(sink)) return Fail(kNoName);
  }
  if (state_ == State::kArguments) return Arguments(byte, sink);
  std::string text;
  const std::optional<std::size_t> mark = marks_.Push(std::string_view(&byte, 1), text);
  for (const char c : text) {
    if (Take(c) == ReadStep::kFailed) return ReadStep::kFailed;
  }
  if (!mark) return ReadStep::kMore;
  if (state_ == State::kName && !Begin(sink)) return Fail(kNoName);
  return Match(*mark);
}

ReadStep SectionCalls::Take(char byte) {
  if (state_ == State::kHeader || state_ == State::kName) {
    header_ += byte;
    const bool name = IsCallNameByte(byte) || IsCallSpace(byte);
    return name && header_.size() <= kCallNameBytesMax ? ReadStep::kMore : Fail(kNoName);
  }
  return IsCallSpace(byte) ? ReadStep::kMore : Fail("text between the marks of a call");
}

ReadStep SectionCalls::Match(std::size_t mark) {
  switch (state_) {
    case State::kBetween:
      if (mark == 1) return ReadStep::kDone;
      Enter(State::kHeader);
      break;
    case State::kHeader: Enter(State::kNameOrJson); break;
    case State::kName: Enter(State::kBlock); break;
    case State::kBlock: Enter(State::kArguments); break;
    case State::kBlockEnd: Enter(State::kCallEnd); break;
    default: Enter(State::kBetween); break;
  }
  return ReadStep::kMore;
}

bool SectionCalls::Begin(CallSink& sink) {
  std::string_view name = header_;
  TrimSpace(name);
  const std::string_view id = section_.name_in_id ? name : std::string_view();
  if (section_.name_in_id) {
    constexpr std::string_view kNamespace = "functions.";
    if (name.starts_with(kNamespace)) name.remove_prefix(kNamespace.size());
    name = name.substr(0, name.rfind(':'));
  }
  if (name.empty() || !std::all_of(name.begin(), name.end(), IsCallNameByte)) return false;
  sink.Begin(name, id);
  return true;
}

ReadStep SectionCalls::Arguments(char byte, CallSink& sink) {
  const ReadStep step = arguments_.Push(byte, sink);
  if (step == ReadStep::kFailed) return Fail(kNotAnObject);
  if (step == ReadStep::kMore) return step;
  sink.End();
  Enter(in_block_ ? State::kBlockEnd : State::kCallEnd);
  return ReadStep::kMore;
}

MistralCalls::MistralCalls() : marks_({"[CALL_ID]", "[ARGS]"}) {}

ReadStep MistralCalls::Fail(std::string_view problem) {
  problem_ = problem;
  return ReadStep::kFailed;
}

ReadStep MistralCalls::Push(char byte, CallSink& sink) {
  if (state_ == State::kStart) {
    if (IsCallSpace(byte)) return ReadStep::kMore;
    state_ = byte == '[' || byte == '{' ? State::kJson : State::kName;
  }
  if (state_ == State::kJson) {
    const ReadStep step = json_.Push(byte, sink);
    problem_ = json_.problem();
    return step;
  }
  if (state_ != State::kArguments) return Header(byte, sink);
  const ReadStep step = arguments_.Push(byte, sink);
  if (step == ReadStep::kFailed) return Fail(kNotAnObject);
  if (step == ReadStep::kDone) sink.End();
  return step;
}

ReadStep MistralCalls::Header(char byte, CallSink& sink) {
  std::string& text = state_ == State::kId ? id_ : name_;
  if (byte == '{' && !marks_.holds() && !name_.empty()) {
    sink.Begin(name_, id_);
    state_ = State::kArguments;
    return arguments_.Push(byte, sink);
  }
  const std::size_t before = text.size();
  const std::optional<std::size_t> mark = marks_.Push(std::string_view(&byte, 1), text);
  const bool name =
      std::all_of(text.begin() + static_cast<std::ptrdiff_t>(before), text.end(), IsCallNameByte);
  if (!name || text.size() > kCallNameBytesMax || (mark && name_.empty())) return Fail(kNoName);
  if (!mark) return ReadStep::kMore;
  state_ = *mark == 0 ? State::kId : State::kArguments;
  if (state_ == State::kArguments) sink.Begin(name_, id_);
  return ReadStep::kMore;
}

}  // namespace edgemoe
