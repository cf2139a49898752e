// SPDX-License-Identifier: Apache-2.0
//
// One rendering: what its statements and expressions share. Statements are in evaluator.cc,
// expressions in expression_evaluation.cc.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/base/result.h"
#include "engine/template/builtins/arguments.h"
#include "engine/template/evaluation/scope.h"
#include "engine/template/render_options.h"
#include "engine/template/syntax/lexer.h"
#include "engine/template/syntax/syntax.h"
#include "engine/template/values/value.h"

namespace edgemoe::jinja {

class Evaluation {
 public:
  explicit Evaluation(const RenderOptions& options) : options_(options), budget_(options.limits) {}

  Result<std::string> Run(const Body& body, const Json& context);

 private:
  enum class Flow : std::uint8_t { kNext, kBreak, kContinue };

  // Counts a level of recursion and a step for the budget.
  class Level {
   public:
    explicit Level(Evaluation& evaluation) : evaluation_(evaluation) { ++evaluation_.depth_; }
    ~Level() { --evaluation_.depth_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;
    Status Check(SourcePosition position) const;

   private:
    Evaluation& evaluation_;
  };

  // Says where in the template an operation failed.
  static Status At(SourcePosition position, const Status& status) {
    return status.ok() ? status : ErrorAt(position, status.message());
  }
  template <class T>
  static Result<T> At(SourcePosition position, Result<T> result) {
    if (result) return result;
    return Failure(At(position, result.error()));
  }

  // ---- statements

  Result<Flow> Execute(const Body& body);
  Result<Flow> Execute(const Statement& statement);
  Status Write(SourcePosition position, std::string_view text);
  Status WriteValue(SourcePosition position, const Value& value);
  // What `body` writes, in a scope of its own, instead of writing it.
  Result<std::string> Capture(const Body& body);
  Result<Flow> ExecuteGroup(const Body& body);
  Result<Flow> ExecuteIf(const Statement& statement);
  Result<Flow> ExecuteFor(const Statement& statement);
  Result<Flow> RunLoop(const Statement& statement, const Value& iterated, std::size_t depth);
  Result<std::vector<Value>> LoopItems(const Statement& statement, const Value& iterated);
  Result<Flow> ExecuteWith(const Statement& statement);
  Status ExecuteSet(const Statement& statement);
  Status ExecuteSetBlock(const Statement& statement);
  Status ExecuteFilter(const Statement& statement);
  Status ExecuteCall(const Statement& statement);
  Status StoreMacro(const Statement& statement);
  Status Store(std::string_view name, Value value);
  Status StoreTarget(const Target& target, const Value& value);
  Status StoreField(const Target& target, const Value& value);

  // ---- expressions

  Result<Value> Evaluate(const Expression& expression);
  Result<Value> EvaluateOperator(const Expression& expression);
  Result<Value> EvaluateConditional(const Expression& expression);
  Result<Value> EvaluateList(const Expression& expression);
  Result<Value> EvaluateDictionary(const Expression& expression);
  Result<Value> EvaluateSlice(const Expression& expression);
  Result<Value> EvaluateTest(const Expression& expression);
  Result<Arguments> EvaluateArguments(const Expression& expression);
  Status SpreadNames(const Value& value, Arguments& arguments);
  Result<Value> Filter(const Expression& expression, const Value& input);
  Result<Value> FilterChain(const Expression& expression, Value input);
  // `caller` is null, or what the called macro calls by that name.
  Result<Value> EvaluateCall(const Expression& expression, const Value* caller);
  Result<Value> Call(const Value& called, const Arguments& arguments, SourcePosition position);
  Result<Value> CallMacro(const Macro& macro, const Arguments& arguments, SourcePosition position);
  Result<Value> CallLoop(const LoopState& loop, const Arguments& arguments,
                         SourcePosition position);
  Status BindMacro(const Statement& macro, const Arguments& arguments, SourcePosition position);
  Status BindRest(const Statement& macro, const Arguments& arguments, SourcePosition position);
  Result<Value> Lookup(std::string_view name);

  const RenderOptions& options_;
  Budget budget_;
  std::unordered_map<std::string_view, Value> context_;
  std::string output_;
  Scopes scopes_;
  std::uint32_t depth_ = 0;
};

}  // namespace edgemoe::jinja
