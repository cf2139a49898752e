// SPDX-License-Identifier: Apache-2.0
#include "engine/template/evaluation/evaluator.h"

#include <algorithm>
#include <utility>

#include "engine/template/evaluation/evaluation.h"
#include "engine/template/values/printing.h"

namespace edgemoe::jinja {

Result<std::string> Evaluate(const Body& body, const Json& context, const RenderOptions& options) {
  return Evaluation(options).Run(body, context);
}

Result<std::string> Evaluation::Run(const Body& body, const Json& context) {
  for (auto it = context.begin(); it != context.end(); ++it) {
    Result<Value> value = FromJson(*it, budget_);
    if (!value) return Failure(value.error().WithContext("chat template's input"));
    context_.insert_or_assign(it.key(), *std::move(value));
  }
  EDGEMOE_ASSIGN_OR_FAIL([[maybe_unused]] const Flow flow, Execute(body));
  return std::move(output_);
}

Status Evaluation::Level::Check(SourcePosition position) const {
  if (evaluation_.depth_ > kEvaluationDepthMax) {
    return ErrorAt(position,
                   "evaluated more than " + std::to_string(kEvaluationDepthMax) + " levels deep");
  }
  return At(position, evaluation_.budget_.Step());
}

Result<Evaluation::Flow> Evaluation::Execute(const Body& body) {
  for (const Statement& statement : body) {
    EDGEMOE_ASSIGN_OR_FAIL(const Flow flow, Execute(statement));
    if (flow != Flow::kNext) return flow;
  }
  return Flow::kNext;
}

Result<Evaluation::Flow> Evaluation::Execute(const Statement& statement) {
  const Level level(*this);
  EDGEMOE_FAIL_IF_ERROR(level.Check(statement.position));
  Status done;
  switch (statement.kind) {
    case Statement::Kind::kText: done = Write(statement.position, statement.text); break;
    case Statement::Kind::kOutput: {
      EDGEMOE_ASSIGN_OR_FAIL(const Value value, Evaluate(*statement.expression));
      done = WriteValue(statement.position, value);
      break;
    }
    case Statement::Kind::kIf: return ExecuteIf(statement);
    case Statement::Kind::kFor: return ExecuteFor(statement);
    case Statement::Kind::kSet: done = ExecuteSet(statement); break;
    case Statement::Kind::kSetBlock: done = ExecuteSetBlock(statement); break;
    case Statement::Kind::kWith: return ExecuteWith(statement);
    case Statement::Kind::kMacro: done = StoreMacro(statement); break;
    case Statement::Kind::kCall: done = ExecuteCall(statement); break;
    case Statement::Kind::kFilter: done = ExecuteFilter(statement); break;
    case Statement::Kind::kGroup: return ExecuteGroup(statement.body);
    case Statement::Kind::kBreak: return Flow::kBreak;
    case Statement::Kind::kContinue: return Flow::kContinue;
  }
  EDGEMOE_FAIL_IF_ERROR(std::move(done));
  return Flow::kNext;
}

Status Evaluation::Write(SourcePosition position, std::string_view text) {
  EDGEMOE_RETURN_IF_ERROR(At(position, budget_.Spend(text.size())));
  if (output_.size() + text.size() > options_.limits.output_bytes_max) {
    return ErrorAt(position, "the output is longer than " +
                                 std::to_string(options_.limits.output_bytes_max) + " bytes");
  }
  output_.append(text);
  return OkStatus();
}

Status Evaluation::WriteValue(SourcePosition position, const Value& value) {
  if (const std::string* text = value.string()) return Write(position, *text);
  EDGEMOE_ASSIGN_OR_RETURN(const std::string text, At(position, ToText(value, budget_)));
  return Write(position, text);
}

Result<std::string> Evaluation::Capture(const Body& body) {
  std::string outer = std::exchange(output_, {});
  scopes_.Enter(&scopes_.current());
  const Result<Flow> flow = Execute(body);
  scopes_.Leave();
  std::string captured = std::exchange(output_, std::move(outer));
  if (!flow) return Failure(flow.error());
  return captured;
}

Result<Evaluation::Flow> Evaluation::ExecuteGroup(const Body& body) {
  scopes_.Enter(&scopes_.current());
  Result<Flow> flow = Execute(body);
  scopes_.Leave();
  return flow;
}

Result<Evaluation::Flow> Evaluation::ExecuteIf(const Statement& statement) {
  for (const Branch& branch : statement.branches) {
    if (branch.condition != nullptr) {
      EDGEMOE_ASSIGN_OR_FAIL(const Value condition, Evaluate(*branch.condition));
      if (!IsTrue(condition)) continue;
    }
    return Execute(branch.body);
  }
  return Flow::kNext;
}

Result<Evaluation::Flow> Evaluation::ExecuteFor(const Statement& statement) {
  EDGEMOE_ASSIGN_OR_FAIL(const Value iterated, Evaluate(*statement.expression));
  return RunLoop(statement, iterated, 1);
}

Result<Evaluation::Flow> Evaluation::RunLoop(const Statement& statement, const Value& iterated,
                                             std::size_t depth) {
  EDGEMOE_ASSIGN_OR_FAIL(std::vector<Value> items, LoopItems(statement, iterated));
  if (items.empty()) return Execute(statement.else_body);
  const auto loop = std::make_shared<LoopState>();
  loop->items = std::move(items);
  loop->depth = depth;
  if (statement.is_recursive) {
    EDGEMOE_ASSIGN_OR_FAIL(loop->scope, At(statement.position, scopes_.Keep(budget_)));
    loop->statement = &statement;
  }
  Result<Flow> flow = Flow::kNext;
  bool finished_one = false;
  for (; loop->index < loop->items.size(); ++loop->index) {
    scopes_.Enter(&scopes_.current());
    scopes_.current().Store("loop", Value(loop));
    Status stored = At(statement.position, StoreTarget(statement.target, loop->items[loop->index]));
    flow = stored.ok() ? Execute(statement.body) : Result<Flow>(Failure(stored));
    scopes_.Leave();
    if (!flow || *flow == Flow::kBreak) break;
    finished_one = finished_one || *flow == Flow::kNext;
  }
  // A kept "loop" stays on the last item.
  loop->index = std::min(loop->index, loop->items.size() - 1);
  loop->changed.reset();
  loop->is_over = true;
  if (!flow) return flow;
  // As in Jinja, whose "else" is for loops that come to the end of their body for no item.
  if (!finished_one) return Execute(statement.else_body);
  return Flow::kNext;
}

// The items that the loop visits, those that its "if" leaves.
Result<std::vector<Value>> Evaluation::LoopItems(const Statement& statement,
                                                 const Value& iterated) {
  EDGEMOE_ASSIGN_OR_FAIL(std::vector<Value> items,
                         At(statement.position, ItemsOf(iterated, budget_)));
  if (statement.condition == nullptr) return items;
  std::vector<Value> kept;
  for (Value& item : items) {
    scopes_.Enter(&scopes_.current());
    Status stored = At(statement.position, StoreTarget(statement.target, item));
    auto condition = stored.ok() ? Evaluate(*statement.condition) : Result<Value>(Failure(stored));
    scopes_.Leave();
    if (!condition) return Failure(std::move(condition).error());
    if (IsTrue(*condition)) kept.push_back(std::move(item));
  }
  return kept;
}

// No value sees the names that stand before it.
Result<Evaluation::Flow> Evaluation::ExecuteWith(const Statement& statement) {
  std::vector<Value> values;
  for (const MacroParameter& variable : statement.parameters) {
    EDGEMOE_ASSIGN_OR_FAIL(Value value, Evaluate(*variable.default_value));
    values.push_back(std::move(value));
  }
  scopes_.Enter(&scopes_.current());
  for (std::size_t i = 0; i < values.size(); ++i) {
    EDGEMOE_FAIL_IF_ERROR(
        At(statement.position, Store(statement.parameters[i].name, std::move(values[i]))));
  }
  Result<Flow> flow = Execute(statement.body);
  scopes_.Leave();
  return flow;
}

Status Evaluation::ExecuteSet(const Statement& statement) {
  EDGEMOE_ASSIGN_OR_RETURN(const Value value, Evaluate(*statement.expression));
  return At(statement.position, StoreTarget(statement.target, value));
}

Status Evaluation::ExecuteSetBlock(const Statement& statement) {
  EDGEMOE_ASSIGN_OR_RETURN(std::string text, Capture(statement.body));
  Value value(std::move(text));
  if (statement.expression != nullptr) {
    EDGEMOE_ASSIGN_OR_RETURN(value, FilterChain(*statement.expression, std::move(value)));
  }
  return At(statement.position, StoreTarget(statement.target, value));
}

Status Evaluation::ExecuteFilter(const Statement& statement) {
  EDGEMOE_ASSIGN_OR_RETURN(std::string text, Capture(statement.body));
  EDGEMOE_ASSIGN_OR_RETURN(const Value filtered,
                           FilterChain(*statement.expression, Value(std::move(text))));
  if (!filtered.is_string()) {
    return ErrorAt(statement.position,
                   "a filtered part is " + filtered.Describe() + ", not a text");
  }
  return WriteValue(statement.position, filtered);
}

Status Evaluation::ExecuteCall(const Statement& statement) {
  EDGEMOE_ASSIGN_OR_RETURN(Scope* const scope, At(statement.position, scopes_.Keep(budget_)));
  const Value caller(Macro{&statement, scope});
  EDGEMOE_ASSIGN_OR_RETURN(const Value written, EvaluateCall(*statement.expression, &caller));
  return WriteValue(statement.position, written);
}

Status Evaluation::StoreMacro(const Statement& statement) {
  EDGEMOE_ASSIGN_OR_RETURN(Scope* const scope, At(statement.position, scopes_.Keep(budget_)));
  return At(statement.position, Store(statement.text, Value(Macro{&statement, scope})));
}

Status Evaluation::Store(std::string_view name, Value value) {
  EDGEMOE_RETURN_IF_ERROR(budget_.Spend(scopes_.current().variables.size()));
  scopes_.current().Store(name, std::move(value));
  return OkStatus();
}

Status Evaluation::StoreTarget(const Target& target, const Value& value) {
  if (!target.field.empty()) return StoreField(target, value);
  if (!target.name.empty()) return Store(target.name, value);
  EDGEMOE_ASSIGN_OR_RETURN(const std::vector<Value> items, ItemsOf(value, budget_));
  if (items.size() != target.parts.size()) {
    return InvalidArgumentError(std::to_string(items.size()) + " values for " +
                                std::to_string(target.parts.size()) + " names");
  }
  for (std::size_t i = 0; i < items.size(); ++i) {
    EDGEMOE_RETURN_IF_ERROR(budget_.Step());
    EDGEMOE_RETURN_IF_ERROR(StoreTarget(target.parts[i], items[i]));
  }
  return OkStatus();
}

Status Evaluation::StoreField(const Target& target, const Value& value) {
  EDGEMOE_ASSIGN_OR_RETURN(const Value found, Lookup(target.name));
  Namespace* const fields = found.fields();
  if (fields == nullptr) {
    return InvalidArgumentError("\"" + target.name + "\" is " + found.Describe() +
                                ", only a namespace's attributes can be set");
  }
  EDGEMOE_RETURN_IF_ERROR(budget_.Spend(fields->fields.size()));
  if (Value* field = fields->Find(target.field)) {
    *field = value;
  } else {
    fields->fields.emplace_back(target.field, value);
  }
  return OkStatus();
}

}  // namespace edgemoe::jinja
