// SPDX-License-Identifier: Apache-2.0
#include "engine/answer/calls/tagged_calls.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace edgemoe {
namespace {

std::vector<std::string> Marks(std::initializer_list<std::string_view> texts) {
  std::vector<std::string> marks;
  for (const std::string_view text : texts) marks.emplace_back(text);
  return marks;
}

}  // namespace

constexpr CallTags kGlmTags = {
    .before_name = {},
    .after_name = {},
    .before_key = "<arg_key>",
    .after_key = "</arg_key>",
    .after_text_key = {},
    .before_value = "<arg_value>",
    .after_value = "</arg_value>",
    .value_in_lines = false,
    .after_call = "</tool_call>",
    .close_mark = {},
    .several = false,
};

constexpr CallTags kQwenCoderTags = {
    .before_name = "<function=",
    .after_name = ">",
    .before_key = "<parameter=",
    .after_key = ">",
    .after_text_key = {},
    .before_value = {},
    .after_value = "</parameter>",
    .value_in_lines = true,
    .after_call = "</function>",
    .close_mark = "</tool_call>",
    .several = false,
};

constexpr CallTags kMiniMaxTags = {
    .before_name = "<invoke name=\"",
    .after_name = "\">",
    .before_key = "<parameter name=\"",
    .after_key = "\">",
    .after_text_key = {},
    .before_value = {},
    .after_value = "</parameter>",
    .value_in_lines = false,
    .after_call = "</invoke>",
    .close_mark = "</minimax:tool_call>",
    .several = true,
};

constexpr CallTags DsmlTags(std::string_view close_mark) {
  return {
      .before_name = "<\uFF5CDSML\uFF5Cinvoke name=\"",
      .after_name = "\">",
      .before_key = "<\uFF5CDSML\uFF5Cparameter name=\"",
      .after_key = "\" string=\"false\">",
      .after_text_key = "\" string=\"true\">",
      .before_value = {},
      .after_value = "</\uFF5CDSML\uFF5Cparameter>",
      .value_in_lines = false,
      .after_call = "</\uFF5CDSML\uFF5Cinvoke>",
      .close_mark = close_mark,
      .several = true,
  };
}
constexpr CallTags kDsmlFunctionCallsTags = DsmlTags("</\uFF5CDSML\uFF5Cfunction_calls>");
constexpr CallTags kDsmlToolCallsTags = DsmlTags("</\uFF5CDSML\uFF5Ctool_calls>");

TaggedCalls::TaggedCalls(const CallTags& tags, std::span<const AnswerTool> tools)
    : tags_(tags), tools_(tools), marks_({}) {
  Enter(tags.before_name.empty() ? State::kName : State::kBeforeName);
}

void TaggedCalls::Enter(State state) {
  state_ = state;
  std::vector<std::string> marks;
  switch (state) {
    case State::kBeforeName: marks = Marks({tags_.before_name}); break;
    case State::kName:
      marks = tags_.after_name.empty() ? Marks({tags_.before_key, tags_.after_call})
                                       : Marks({tags_.after_name});
      break;
    case State::kBetween: marks = Marks({tags_.before_key, tags_.after_call}); break;
    case State::kKey:
      marks = Marks({tags_.after_key});
      if (!tags_.after_text_key.empty()) marks.emplace_back(tags_.after_text_key);
      break;
    case State::kBeforeValue: marks = Marks({tags_.before_value}); break;
    case State::kValue:
      marks = Marks({tags_.after_value});
      if (tags_.value_in_lines) marks.push_back("\n" + std::string(tags_.after_value));
      break;
    case State::kClose:
      marks = Marks({tags_.close_mark});
      if (tags_.several) marks.emplace_back(tags_.before_name);
      break;
  }
  marks_ = SequenceMatcher(std::move(marks));
}

ReadStep TaggedCalls::Fail(std::string_view problem) {
  problem_ = problem;
  return ReadStep::kFailed;
}

ReadStep TaggedCalls::Push(char byte, CallSink& sink) {
  std::string text;
  const std::optional<std::size_t> mark = marks_.Push(std::string_view(&byte, 1), text);
  if (!Take(text, sink)) return ReadStep::kFailed;
  return mark ? Match(*mark, sink) : ReadStep::kMore;
}

// Text that is no part of the mark that is looked for.
bool TaggedCalls::Take(std::string_view text, CallSink& sink) {
  for (const char c : text) {
    switch (state_) {
      case State::kName:
        // Line feeds are around the name, not in it.
        if (name_.empty() && IsCallSpace(c)) break;
        if (!IsCallNameByte(c) && c != '\n') {
          problem_ = "a call without a name";
          return false;
        }
        name_ += c;
        break;
      case State::kKey: key_ += c; break;
      case State::kValue:
        if (!TakeValue(std::string_view(&c, 1), sink)) return false;
        break;
      default:
        if (IsCallSpace(c)) break;
        problem_ = "text between the tags of a call";
        return false;
    }
  }
  if (name_.size() <= kCallNameBytesMax && key_.size() <= kCallNameBytesMax) return true;
  problem_ = "a call with a name or an argument's name that is too long";
  return false;
}

bool TaggedCalls::TakeValue(std::string_view text, CallSink& sink) {
  if (!std::exchange(value_begun_, true) && tags_.value_in_lines && text == "\n") return true;
  if (!value_is_text_) {
    value_ += text;
    return true;
  }
  std::string json;
  for (const char c : text) AppendJsonByte(c, json);
  sink.Arguments(json);
  return true;
}

ReadStep TaggedCalls::Match(std::size_t mark, CallSink& sink) {
  switch (state_) {
    case State::kBeforeName: Enter(State::kName); return ReadStep::kMore;
    case State::kName:
      if (!BeginCall(sink)) return ReadStep::kFailed;
      if (!tags_.after_name.empty()) {
        Enter(State::kBetween);
        return ReadStep::kMore;
      }
      [[fallthrough]];
    case State::kBetween:
      if (mark == 1) return EndCall(sink);
      key_.clear();
      Enter(State::kKey);
      return ReadStep::kMore;
    case State::kKey:
      key_says_text_ = mark == 1;
      if (!tags_.before_value.empty()) {
        Enter(State::kBeforeValue);
        return ReadStep::kMore;
      }
      [[fallthrough]];
    case State::kBeforeValue:
      BeginValue(sink);
      Enter(State::kValue);
      return ReadStep::kMore;
    case State::kValue:
      EndValue(sink);
      Enter(State::kBetween);
      return ReadStep::kMore;
    case State::kClose:
      if (mark == 0) return ReadStep::kDone;
      name_.clear();
      first_argument_ = true;
      Enter(State::kName);
      return ReadStep::kMore;
  }
  return Fail("");
}

bool TaggedCalls::BeginCall(CallSink& sink) {
  std::string_view name = name_;
  TrimSpace(name);
  if (name.empty() || name.find('\n') != std::string_view::npos) {
    problem_ = "a call without a name";
    return false;
  }
  name_ = std::string(name);
  sink.Begin(name_, {});
  sink.Arguments("{");
  return true;
}

bool TaggedCalls::IsTextParameter(std::string_view key) const {
  const auto tool = std::find_if(tools_.begin(), tools_.end(),
                                 [&](const AnswerTool& other) { return other.name == name_; });
  return tool != tools_.end() &&
         std::find(tool->text_parameters.begin(), tool->text_parameters.end(), key) !=
             tool->text_parameters.end();
}

void TaggedCalls::BeginValue(CallSink& sink) {
  std::string_view key = key_;
  TrimSpace(key);
  sink.Arguments((first_argument_ ? "" : ", ") + JsonText(key) + ": ");
  first_argument_ = false;
  value_is_text_ = tags_.after_text_key.empty() ? IsTextParameter(key) : key_says_text_;
  value_.clear();
  value_begun_ = false;
  if (value_is_text_) sink.Arguments("\"");
}

void TaggedCalls::EndValue(CallSink& sink) {
  if (value_is_text_) {
    sink.Arguments("\"");
    return;
  }
  std::string_view json = value_;
  TrimSpace(json);
  if (json == "True") json = "true";
  if (json == "False") json = "false";
  if (json == "None") json = "null";
  if (IsJson(json)) {
    sink.Arguments(json);
  } else {
    sink.Arguments(JsonText(value_));
  }
}

ReadStep TaggedCalls::EndCall(CallSink& sink) {
  sink.Arguments("}");
  sink.End();
  if (tags_.close_mark.empty()) return ReadStep::kDone;
  Enter(State::kClose);
  return ReadStep::kMore;
}

}  // namespace edgemoe
