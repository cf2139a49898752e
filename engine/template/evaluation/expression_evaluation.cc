// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "engine/template/builtins/builtins.h"
#include "engine/template/evaluation/evaluation.h"
#include "engine/template/values/method_names.h"
#include "engine/template/values/operators.h"

namespace edgemoe::jinja {

Result<Value> Evaluation::Lookup(std::string_view name) {
  std::size_t looked_at = 0;
  const Value* const stored = scopes_.current().Find(name, looked_at);
  EDGEMOE_FAIL_IF_ERROR(budget_.Spend(looked_at));
  if (stored != nullptr) return *stored;
  if (const auto found = context_.find(name); found != context_.end()) return found->second;
  if (const auto function = FindFunction(name, options_.now)) return Value(*function);
  return Value::MakeUndefined(std::string(name));
}

Result<Value> Evaluation::Evaluate(const Expression& expression) {
  const Level level(*this);
  EDGEMOE_FAIL_IF_ERROR(level.Check(expression.position));
  using Kind = Expression::Kind;
  switch (expression.kind) {
    case Kind::kLiteral: return expression.literal;
    case Kind::kName: return At(expression.position, Lookup(expression.text));
    case Kind::kList:
    case Kind::kTuple: return EvaluateList(expression);
    case Kind::kDictionary: return EvaluateDictionary(expression);
    case Kind::kSpread: break;  // in calls only
    case Kind::kAttribute: {
      EDGEMOE_ASSIGN_OR_FAIL(const Value whole, Evaluate(*expression.operands[0]));
      return At(expression.position, GetAttribute(whole, expression.text, budget_));
    }
    case Kind::kSubscript: {
      EDGEMOE_ASSIGN_OR_FAIL(const Value whole, Evaluate(*expression.operands[0]));
      EDGEMOE_ASSIGN_OR_FAIL(const Value key, Evaluate(*expression.operands[1]));
      return At(expression.position, GetItem(whole, key, budget_));
    }
    case Kind::kSlice: return EvaluateSlice(expression);
    case Kind::kCall: return EvaluateCall(expression, nullptr);
    case Kind::kFilter: {
      EDGEMOE_ASSIGN_OR_FAIL(const Value input, Evaluate(*expression.operands[0]));
      return Filter(expression, input);
    }
    case Kind::kTest: return EvaluateTest(expression);
    case Kind::kAnd:
    case Kind::kOr: {
      EDGEMOE_ASSIGN_OR_FAIL(Value left, Evaluate(*expression.operands[0]));
      if (IsTrue(left) == (expression.kind == Kind::kOr)) return left;
      return Evaluate(*expression.operands[1]);
    }
    case Kind::kConditional: return EvaluateConditional(expression);
    case Kind::kNot:
    case Kind::kNegate:
    case Kind::kPlus:
    case Kind::kBinary: return EvaluateOperator(expression);
  }
  return Value();
}

Result<Value> Evaluation::EvaluateOperator(const Expression& expression) {
  EDGEMOE_ASSIGN_OR_FAIL(const Value left, Evaluate(*expression.operands[0]));
  switch (expression.kind) {
    case Expression::Kind::kNot: return Value(!IsTrue(left));
    case Expression::Kind::kNegate: return At(expression.position, Negate(left));
    case Expression::Kind::kPlus: return At(expression.position, Affirm(left));
    default: break;
  }
  EDGEMOE_ASSIGN_OR_FAIL(const Value right, Evaluate(*expression.operands[1]));
  return At(expression.position, ApplyBinary(expression.op, left, right, budget_));
}

Result<Value> Evaluation::EvaluateConditional(const Expression& expression) {
  EDGEMOE_ASSIGN_OR_FAIL(const Value condition, Evaluate(*expression.operands[1]));
  if (IsTrue(condition)) return Evaluate(*expression.operands[0]);
  if (expression.operands[2] == nullptr) return Value::MakeUndefined("else");
  return Evaluate(*expression.operands[2]);
}

Result<Value> Evaluation::EvaluateList(const Expression& expression) {
  std::vector<Value> items;
  items.reserve(expression.operands.size());
  for (const ExpressionPtr& operand : expression.operands) {
    EDGEMOE_ASSIGN_OR_FAIL(Value item, Evaluate(*operand));
    items.push_back(std::move(item));
  }
  const bool is_tuple = expression.kind == Expression::Kind::kTuple;
  return At(expression.position,
            MakeList(std::move(items), budget_, is_tuple ? List::Kind::kTuple : List::Kind::kList));
}

Result<Value> Evaluation::EvaluateDictionary(const Expression& expression) {
  std::vector<std::pair<Value, Value>> entries;
  entries.reserve(expression.operands.size() / 2);
  for (std::size_t i = 0; i + 1 < expression.operands.size(); i += 2) {
    EDGEMOE_ASSIGN_OR_FAIL(Value key, Evaluate(*expression.operands[i]));
    EDGEMOE_ASSIGN_OR_FAIL(Value value, Evaluate(*expression.operands[i + 1]));
    entries.emplace_back(std::move(key), std::move(value));
  }
  return At(expression.position, MakeDictionary(std::move(entries), budget_));
}

Result<Value> Evaluation::EvaluateSlice(const Expression& expression) {
  Value parts[4];
  for (std::size_t i = 0; i < 4; ++i) {
    if (expression.operands[i] == nullptr) continue;
    EDGEMOE_ASSIGN_OR_FAIL(parts[i], Evaluate(*expression.operands[i]));
  }
  return At(expression.position, GetSlice(parts[0], parts[1], parts[2], parts[3], budget_));
}

Result<Value> Evaluation::EvaluateTest(const Expression& expression) {
  EDGEMOE_ASSIGN_OR_FAIL(const Value value, Evaluate(*expression.operands[0]));
  EDGEMOE_ASSIGN_OR_FAIL(const Arguments arguments, EvaluateArguments(expression));
  EDGEMOE_ASSIGN_OR_FAIL(const bool holds, At(expression.position, ApplyTest(expression.text, value,
                                                                             arguments, budget_)));
  return Value(holds);
}

// The entries of a dictionary as named arguments.
Status Evaluation::SpreadNames(const Value& value, Arguments& arguments) {
  if (value.dictionary() == nullptr) {
    return InvalidArgumentError("\"**\" with " + value.Describe() + ", not a dictionary");
  }
  for (const auto& [key, held] : value.dictionary()->entries) {
    EDGEMOE_RETURN_IF_ERROR(budget_.Spend(arguments.named.size() + sizeof(Value)));
    if (!key.is_string()) {
      return InvalidArgumentError("\"**\" with a name that is " + key.Describe());
    }
    const auto same = [&k = key](const auto& given) { return given.first == *k.string(); };
    if (std::any_of(arguments.named.begin(), arguments.named.end(), same)) {
      return InvalidArgumentError("argument \"" + key.string()->substr(0, 64) +
                                  "\" is given twice");
    }
    arguments.named.emplace_back(*key.string(), held);
  }
  return OkStatus();
}

Result<Arguments> Evaluation::EvaluateArguments(const Expression& expression) {
  Arguments arguments;
  for (std::size_t i = 1; i < expression.operands.size(); ++i) {
    const Expression& operand = *expression.operands[i];
    if (operand.kind == Expression::Kind::kSpread) {
      EDGEMOE_ASSIGN_OR_FAIL(const Value value, Evaluate(*operand.operands[0]));
      EDGEMOE_ASSIGN_OR_FAIL(const auto items, At(operand.position, ItemsOf(value, budget_)));
      arguments.positional.insert(arguments.positional.end(), items.begin(), items.end());
      continue;
    }
    EDGEMOE_ASSIGN_OR_FAIL(Value value, Evaluate(operand));
    arguments.positional.push_back(std::move(value));
  }
  for (const auto& [name, operand] : expression.keywords) {
    EDGEMOE_ASSIGN_OR_FAIL(Value value, Evaluate(*operand));
    if (name.empty()) {
      EDGEMOE_FAIL_IF_ERROR(At(operand->position, SpreadNames(value, arguments)));
      continue;
    }
    arguments.named.emplace_back(name, std::move(value));
  }
  return arguments;
}

Result<Value> Evaluation::Filter(const Expression& expression, const Value& input) {
  EDGEMOE_ASSIGN_OR_FAIL(const Arguments arguments, EvaluateArguments(expression));
  return At(expression.position, ApplyFilter(expression.text, input, arguments, budget_));
}

Result<Value> Evaluation::FilterChain(const Expression& expression, Value input) {
  const Level level(*this);
  EDGEMOE_FAIL_IF_ERROR(level.Check(expression.position));
  if (expression.operands[0] != nullptr) {
    EDGEMOE_ASSIGN_OR_FAIL(input, FilterChain(*expression.operands[0], std::move(input)));
  }
  return Filter(expression, input);
}

Result<Value> Evaluation::EvaluateCall(const Expression& expression, const Value* caller) {
  const Expression& callee = *expression.operands[0];
  const SourcePosition position = expression.position;
  Value whole;
  const bool is_part = callee.kind == Expression::Kind::kAttribute;
  if (is_part) {
    EDGEMOE_ASSIGN_OR_FAIL(whole, Evaluate(*callee.operands[0]));
  }
  const bool is_method = is_part && HasMethod(whole, callee.text);
  Value called;
  if (is_part && !is_method) {
    EDGEMOE_ASSIGN_OR_FAIL(called, At(callee.position, GetAttribute(whole, callee.text, budget_)));
  } else if (!is_part) {
    EDGEMOE_ASSIGN_OR_FAIL(called, Evaluate(callee));
  }
  if (!is_method && !called.is_callable()) {
    return Failure(ErrorAt(
        position, is_part && called.is_undefined()
                      ? whole.Describe() + " has no method \"" + callee.text.substr(0, 64) + "\""
                      : called.Describe() + " cannot be called"));
  }
  EDGEMOE_ASSIGN_OR_FAIL(Arguments arguments, EvaluateArguments(expression));
  if (caller != nullptr) arguments.named.emplace_back("caller", *caller);
  if (is_method) return At(position, CallMethod(whole, callee.text, arguments, budget_));
  return Call(called, arguments, position);
}

Result<Value> Evaluation::Call(const Value& called, const Arguments& arguments,
                               SourcePosition position) {
  if (called.macro() != nullptr) return CallMacro(*called.macro(), arguments, position);
  if (const BoundMethod* method = called.method()) {
    return At(position, CallMethod(method->owner, method->name, arguments, budget_));
  }
  if (called.loop() != nullptr) return CallLoop(*called.loop(), arguments, position);
  auto result = CallFunction(*called.function(), arguments, options_.now, budget_);
  // What the template's author says is the message itself.
  if (*called.function() == Function::kRaiseException) return result;
  return At(position, std::move(result));
}

Result<Value> Evaluation::CallMacro(const Macro& macro, const Arguments& arguments,
                                    SourcePosition position) {
  scopes_.Enter(macro.scope);
  const Status bound = BindMacro(*macro.statement, arguments, position);
  Result<std::string> text =
      bound.ok() ? Capture(macro.statement->body) : Result<std::string>(Failure(bound));
  scopes_.Leave();
  if (!text) return Failure(std::move(text).error());
  return Value(*std::move(text));
}

// loop(items) in a recursive loop: what the whole loop writes for them.
Result<Value> Evaluation::CallLoop(const LoopState& loop, const Arguments& arguments,
                                   SourcePosition position) {
  EDGEMOE_ASSIGN_OR_FAIL(const BoundArguments bound,
                         At(position, BoundArguments::Bind("loop", arguments, {"iterable"})));
  EDGEMOE_FAIL_IF_ERROR(At(position, bound.Require(0)));
  std::string outer = std::exchange(output_, {});
  scopes_.Enter(loop.scope);
  const Result<Flow> flow = RunLoop(*loop.statement, bound.Get(0), loop.depth + 1);
  scopes_.Leave();
  std::string written = std::exchange(output_, std::move(outer));
  if (!flow) return Failure(flow.error());
  return Value(std::move(written));
}

Status Evaluation::BindMacro(const Statement& macro, const Arguments& arguments,
                             SourcePosition position) {
  Scope& scope = scopes_.current();
  for (std::size_t i = 0; i < macro.parameters.size(); ++i) {
    const MacroParameter& parameter = macro.parameters[i];
    EDGEMOE_RETURN_IF_ERROR(At(position, budget_.Spend(i + arguments.named.size())));
    Value value = Value::MakeUndefined(parameter.name);
    const auto named =
        std::find_if(arguments.named.begin(), arguments.named.end(),
                     [&](const auto& given) { return given.first == parameter.name; });
    if (i < arguments.positional.size()) {
      value = arguments.positional[i];
    } else if (named != arguments.named.end()) {
      value = named->second;
    } else if (parameter.default_value != nullptr) {
      EDGEMOE_ASSIGN_OR_RETURN(value, Evaluate(*parameter.default_value));
    }
    scope.Store(parameter.name, std::move(value));
  }
  return BindRest(macro, arguments, position);
}

// What no parameter takes, for macros that ask for it.
Status Evaluation::BindRest(const Statement& macro, const Arguments& arguments,
                            SourcePosition position) {
  Scope& scope = scopes_.current();
  const std::size_t parameters = macro.parameters.size();
  const std::size_t given = arguments.positional.size();
  if (given > parameters && !macro.catches_positional) {
    return ErrorAt(position, "macro \"" + macro.text + "\" takes " + std::to_string(parameters) +
                                 " arguments");
  }
  if (macro.catches_caller) scope.Store("caller", Value::MakeUndefined("caller"));
  std::vector<std::pair<Value, Value>> rest;
  for (const auto& [name, value] : arguments.named) {
    EDGEMOE_RETURN_IF_ERROR(At(position, budget_.Spend(parameters)));
    const auto first =
        macro.parameters.begin() + static_cast<std::ptrdiff_t>(std::min(given, parameters));
    const bool taken = std::any_of(first, macro.parameters.end(),
                                   [&n = name](const auto& p) { return p.name == n; });
    if (taken) continue;
    if (name == "caller" && macro.catches_caller) {
      scope.Store("caller", value);
    } else if (macro.catches_named) {
      rest.emplace_back(name, value);
    } else {
      return ErrorAt(position, "macro \"" + macro.text + "\" has no parameter \"" + name + "\"");
    }
  }
  if (macro.catches_named) {
    EDGEMOE_ASSIGN_OR_RETURN(Value made, At(position, MakeDictionary(std::move(rest), budget_)));
    scope.Store("kwargs", std::move(made));
  }
  if (macro.catches_positional) {
    const auto first =
        arguments.positional.begin() + static_cast<std::ptrdiff_t>(std::min(given, parameters));
    EDGEMOE_ASSIGN_OR_RETURN(Value made, At(position, MakeList({first, arguments.positional.end()},
                                                               budget_, List::Kind::kTuple)));
    scope.Store("varargs", std::move(made));
  }
  return OkStatus();
}

}  // namespace edgemoe::jinja
