// SPDX-License-Identifier: Apache-2.0
#include "engine/answer/calls/json_call.h"

#include <nlohmann/json.hpp>
#include <utility>

namespace edgemoe {
namespace {

using Json = nlohmann::json;

// The text that a JSON text stands for.
std::optional<std::string> TextOf(const std::string& json) {
  const Json parsed = Json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (!parsed.is_string()) return std::nullopt;
  return parsed.get<std::string>();
}

}  // namespace

ReadStep JsonArguments::Push(char byte, CallSink& sink) {
  if (!begun_) {
    if (IsCallSpace(byte)) return ReadStep::kMore;
    if (byte != '{') return ReadStep::kFailed;
    begun_ = true;
  }
  const ReadStep step = scanner_.Push(byte);
  if (step != ReadStep::kFailed) sink.Arguments(std::string_view(&byte, 1));
  return step;
}

ReadStep JsonCall::Fail(std::string_view problem) {
  problem_ = problem;
  return ReadStep::kFailed;
}

ReadStep JsonCall::Push(char byte, CallSink& sink) {
  const ReadStep step = scanner_.Push(byte);
  if (step == ReadStep::kFailed) return Fail("a call that is not JSON");
  switch (scanner_.place()) {
    case JsonScanner::Place::kKey: key_.push_back(byte); break;
    case JsonScanner::Place::kValue:
      if (!key_.empty() && !ReadKey()) return ReadStep::kFailed;
      if (!ReadValue(byte, sink)) return ReadStep::kFailed;
      break;
    case JsonScanner::Place::kBetween: break;
  }
  if (scanner_.value_ended() && !EndValue(sink)) return ReadStep::kFailed;
  if (step != ReadStep::kDone) return step;
  if (name_.empty()) return Fail("a call without a name");
  if (!has_arguments_) {
    if (!arguments_optional_) return Fail("a call without arguments");
    GiveArguments("{}", sink);
  }
  sink.End();
  return ReadStep::kDone;
}

bool JsonCall::ReadKey() {
  const std::optional<std::string> key = TextOf(key_);
  key_.clear();
  if (!key) {
    problem_ = "a call that is not JSON";
    return false;
  }
  member_ = Member::kOther;
  if (*key == "name") member_ = Member::kName;
  if (*key == "id") member_ = Member::kId;
  if (*key == "arguments" || *key == "parameters") member_ = Member::kArguments;
  const bool again = (member_ == Member::kName && !name_.empty()) ||
                     (member_ == Member::kArguments && has_arguments_);
  if (again) problem_ = "a call with a name or arguments that are told twice";
  return !again;
}

bool JsonCall::ReadValue(char byte, CallSink& sink) {
  if (member_ == Member::kOther) return true;
  if (member_ == Member::kArguments && value_.empty() && !streams_ && byte == '{' &&
      !name_.empty()) {
    streams_ = true;
  }
  if (streams_) {
    GiveArguments(std::string_view(&byte, 1), sink);
  } else {
    value_.push_back(byte);
  }
  return true;
}

bool JsonCall::EndValue(CallSink& sink) {
  const std::string value = std::exchange(value_, {});
  switch (member_) {
    case Member::kOther: return true;
    case Member::kArguments:
      has_arguments_ = true;
      if (std::exchange(streams_, false)) return true;
      early_arguments_ = value;
      return EndArguments(sink);
    case Member::kName:
    case Member::kId: {
      std::optional<std::string> text = TextOf(value);
      const bool is_name = member_ == Member::kName;
      if (!text || text->size() > kCallNameBytesMax || (is_name && text->empty())) {
        problem_ = is_name ? "a call whose name is no text, empty or too long"
                           : "a call whose id is no text or too long";
        return false;
      }
      (is_name ? name_ : id_) = *std::move(text);
      return !is_name || !has_arguments_ || EndArguments(sink);
    }
  }
  return false;
}

// Arguments that were kept whole. They wait for the name.
bool JsonCall::EndArguments(CallSink& sink) {
  if (name_.empty()) return true;
  std::string json = std::exchange(early_arguments_, {});
  if (json == "null") json = "{}";
  if (json.front() == '"') json = TextOf(json).value_or("");
  std::string_view trimmed = json;
  TrimSpace(trimmed);
  if (!trimmed.starts_with('{') || !IsJson(trimmed)) {
    problem_ = "a call whose arguments are no JSON object";
    return false;
  }
  GiveArguments(trimmed, sink);
  return true;
}

void JsonCall::GiveArguments(std::string_view json, CallSink& sink) {
  if (!begun_) sink.Begin(name_, id_);
  begun_ = true;
  sink.Arguments(json);
}

ReadStep JsonCalls::Push(char byte, CallSink& sink) {
  if (state_ == State::kCall) {
    const ReadStep step = call_->Push(byte, sink);
    if (step == ReadStep::kFailed) problem_ = call_->problem();
    if (step != ReadStep::kDone) return step;
    state_ = State::kAfterCall;
    return list_ ? ReadStep::kMore : ReadStep::kDone;
  }
  if (IsCallSpace(byte)) return ReadStep::kMore;
  if (state_ == State::kStart && byte == '[') {
    list_ = true;
    state_ = State::kFirst;
    return ReadStep::kMore;
  }
  const bool may_begin = state_ != State::kAfterCall;
  if (may_begin && byte == '{') {
    call_.emplace(/*arguments_optional=*/true);
    state_ = State::kCall;
    return call_->Push(byte, sink);
  }
  if (list_ && state_ != State::kNext && byte == ']') return ReadStep::kDone;
  if (state_ == State::kAfterCall && byte == ',') {
    state_ = State::kNext;
    return ReadStep::kMore;
  }
  problem_ = "no JSON object where a call should be";
  return ReadStep::kFailed;
}

}  // namespace edgemoe
