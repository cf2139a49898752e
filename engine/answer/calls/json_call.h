// SPDX-License-Identifier: Apache-2.0
//
// Calls that are JSON: the arguments alone, one call as an object, a list of them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/answer/calls/call_reader.h"
#include "engine/answer/calls/json_scanner.h"

namespace edgemoe {

// The arguments of a call whose name stood before them: one object, given on as it is. Done at its
// last byte. White space may come first.
class JsonArguments {
 public:
  ReadStep Push(char byte, CallSink& sink);

 private:
  JsonScanner scanner_;
  bool begun_ = false;
};

// {"name": TEXT, "arguments": OBJECT}, in any order; "parameters" is as good as "arguments", which
// may also be a text that holds the object; "id" is told where it comes before the arguments; other
// keys are passed over. Done at the last byte.
class JsonCall {
 public:
  // Without `arguments_optional` an object without arguments is no call.
  explicit JsonCall(bool arguments_optional) : arguments_optional_(arguments_optional) {}
  ReadStep Push(char byte, CallSink& sink);
  std::string_view problem() const { return problem_; }
  // Of the call, once it is known and before anything is told of it.
  const std::string& name() const { return name_; }

 private:
  enum class Member : std::uint8_t { kOther, kName, kId, kArguments };
  ReadStep Fail(std::string_view problem);
  bool ReadKey();
  bool ReadValue(char byte, CallSink& sink);
  bool EndValue(CallSink& sink);
  bool EndArguments(CallSink& sink);
  void GiveArguments(std::string_view json, CallSink& sink);

  const bool arguments_optional_;
  JsonScanner scanner_;
  std::string key_;  // as written
  Member member_ = Member::kOther;
  std::string value_;  // of what is kept: name, id, arguments that cannot be given on yet
  bool streams_ = false;
  std::string name_, id_;
  std::string early_arguments_;  // they came before the name
  bool has_arguments_ = false;
  bool begun_ = false;
  std::string_view problem_;
};

// One such object, or a list of them in brackets.
class JsonCalls {
 public:
  ReadStep Push(char byte, CallSink& sink);
  std::string_view problem() const { return problem_; }

 private:
  enum class State : std::uint8_t { kStart, kFirst, kNext, kCall, kAfterCall };
  State state_ = State::kStart;
  bool list_ = false;
  std::optional<JsonCall> call_;
  std::string_view problem_;
};

}  // namespace edgemoe
