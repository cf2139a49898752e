// SPDX-License-Identifier: Apache-2.0
#include "engine/template/evaluator.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/template/builtins/builtins.h"
#include "engine/template/lexer.h"
#include "engine/template/operators.h"
#include "engine/template/value.h"

namespace edgemoe::jinja {

namespace {

enum class Flow : std::uint8_t { kNext, kBreak, kContinue };

class Evaluator {
 public:
  Evaluator(const Json& context, const RenderOptions& options)
      : context_(context), options_(options), budget_(options.limits) {
    scopes_.emplace_back();
  }

  Result<std::string> Run(const Body& body) {
    if (Status status = budget_.SpendFor(context_); !status.ok()) {
      return Failure(status.WithContext("chat template's input"));
    }
    EDGEMOE_ASSIGN_OR_FAIL([[maybe_unused]] const Flow flow, Execute(body));
    return std::move(output_);
  }

 private:
  using Scope = std::vector<std::pair<std::string_view, Value>>;

  // Counts a level of recursion and a step for the budget.
  class Level {
   public:
    explicit Level(Evaluator& evaluator) : evaluator_(evaluator) { ++evaluator_.depth_; }
    ~Level() { --evaluator_.depth_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;
    Status Check(SourcePosition position) const {
      if (evaluator_.depth_ > kEvaluationDepthMax) {
        return ErrorAt(position, "evaluated more than " + std::to_string(kEvaluationDepthMax) +
                                     " levels deep");
      }
      return At(position, evaluator_.budget_.Step());
    }

   private:
    Evaluator& evaluator_;
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

  // ---- variables

  Value Lookup(std::string_view name) const {
    for (std::size_t i = scopes_.size(); i-- > 0;) {
      if (i < frame_ && i != 0) continue;  // a macro does not see its caller's variables
      for (const auto& [key, value] : scopes_[i]) {
        if (key == name) return value;
      }
    }
    const auto found = context_.find(std::string(name));
    if (found != context_.end()) return Value::Borrow(*found);
    if (const auto function = FindFunction(name, options_.now)) return Value(*function);
    return Value::MakeUndefined(std::string(name));
  }

  void Store(std::string_view name, Value value) {
    for (auto& [key, held] : scopes_.back()) {
      if (key == name) {
        held = std::move(value);
        return;
      }
    }
    scopes_.back().emplace_back(name, std::move(value));
  }

  Status StoreTargets(const std::vector<std::string>& targets, const Value& value) {
    if (targets.size() == 1) {
      Store(targets[0], value);
      return OkStatus();
    }
    EDGEMOE_ASSIGN_OR_RETURN(std::vector<Value> items, ItemsOf(value, budget_));
    if (items.size() != targets.size()) {
      return InvalidArgumentError(std::to_string(items.size()) + " values for " +
                                  std::to_string(targets.size()) + " names");
    }
    for (std::size_t i = 0; i < items.size(); ++i) Store(targets[i], std::move(items[i]));
    return OkStatus();
  }

  // ---- statements

  Status Write(SourcePosition position, std::string_view text) {
    EDGEMOE_RETURN_IF_ERROR(At(position, budget_.Spend(text.size())));
    if (output_.size() + text.size() > options_.limits.output_bytes_max) {
      return ErrorAt(position, "the output is longer than " +
                                   std::to_string(options_.limits.output_bytes_max) + " bytes");
    }
    output_.append(text);
    return OkStatus();
  }

  Result<Flow> Execute(const Body& body) {
    for (const Statement& statement : body) {
      EDGEMOE_ASSIGN_OR_FAIL(const Flow flow, Execute(statement));
      if (flow != Flow::kNext) return flow;
    }
    return Flow::kNext;
  }

  Result<Flow> Execute(const Statement& statement) {
    const Level level(*this);
    EDGEMOE_FAIL_IF_ERROR(level.Check(statement.position));
    switch (statement.kind) {
      case Statement::Kind::kText:
        EDGEMOE_FAIL_IF_ERROR(Write(statement.position, statement.text));
        return Flow::kNext;
      case Statement::Kind::kOutput:
        EDGEMOE_FAIL_IF_ERROR(ExecuteOutput(statement));
        return Flow::kNext;
      case Statement::Kind::kIf: return ExecuteIf(statement);
      case Statement::Kind::kFor: return ExecuteFor(statement);
      case Statement::Kind::kSet: EDGEMOE_FAIL_IF_ERROR(ExecuteSet(statement)); return Flow::kNext;
      case Statement::Kind::kSetBlock: {
        EDGEMOE_ASSIGN_OR_FAIL(std::string text, Capture(statement.body));
        Value value = Value(Json(std::move(text)));
        if (statement.expression != nullptr) {
          EDGEMOE_ASSIGN_OR_FAIL(value, FilterChain(*statement.expression, std::move(value)));
        }
        Store(statement.targets[0], std::move(value));
        return Flow::kNext;
      }
      case Statement::Kind::kWith: return ExecuteWith(statement);
      case Statement::Kind::kMacro: Store(statement.text, Value(&statement)); return Flow::kNext;
      case Statement::Kind::kFilter: {
        EDGEMOE_ASSIGN_OR_FAIL(std::string text, Capture(statement.body));
        EDGEMOE_ASSIGN_OR_FAIL(const Value filtered,
                               FilterChain(*statement.expression, Value(Json(std::move(text)))));
        EDGEMOE_FAIL_IF_ERROR(WriteValue(statement.position, filtered));
        return Flow::kNext;
      }
      case Statement::Kind::kGroup: return Execute(statement.body);
      case Statement::Kind::kBreak: return Flow::kBreak;
      case Statement::Kind::kContinue: return Flow::kContinue;
    }
    return Flow::kNext;
  }

  Status WriteValue(SourcePosition position, const Value& value) {
    if (const std::string* text = value.string()) return Write(position, *text);
    if (value.json() != nullptr) {
      EDGEMOE_RETURN_IF_ERROR(At(position, budget_.SpendFor(*value.json())));
    }
    EDGEMOE_ASSIGN_OR_RETURN(const std::string text, At(position, ToText(value)));
    return Write(position, text);
  }

  Status ExecuteOutput(const Statement& statement) {
    EDGEMOE_ASSIGN_OR_RETURN(const Value value, Evaluate(*statement.expression));
    return WriteValue(statement.position, value);
  }

  Result<Flow> ExecuteIf(const Statement& statement) {
    for (const Branch& branch : statement.branches) {
      if (branch.condition != nullptr) {
        EDGEMOE_ASSIGN_OR_FAIL(const Value condition, Evaluate(*branch.condition));
        if (!IsTrue(condition)) continue;
      }
      return Execute(branch.body);
    }
    return Flow::kNext;
  }

  // The items that the loop visits, those that its "if" leaves.
  Result<std::vector<Value>> LoopItems(const Statement& statement) {
    EDGEMOE_ASSIGN_OR_FAIL(const Value value, Evaluate(*statement.expression));
    EDGEMOE_ASSIGN_OR_FAIL(std::vector<Value> items,
                           At(statement.position, ItemsOf(value, budget_)));
    if (statement.condition == nullptr) return items;
    std::vector<Value> kept;
    for (Value& item : items) {
      scopes_.emplace_back();
      Status stored = At(statement.position, StoreTargets(statement.targets, item));
      auto condition =
          stored.ok() ? Evaluate(*statement.condition) : Result<Value>(Failure(stored));
      scopes_.pop_back();
      if (!condition) return Failure(std::move(condition).error());
      if (IsTrue(*condition)) kept.push_back(std::move(item));
    }
    return kept;
  }

  // No value sees the names that stand before it.
  Result<Flow> ExecuteWith(const Statement& statement) {
    Scope scope;
    for (const MacroParameter& variable : statement.parameters) {
      EDGEMOE_ASSIGN_OR_FAIL(Value value, Evaluate(*variable.default_value));
      scope.emplace_back(variable.name, std::move(value));
    }
    scopes_.emplace_back();
    for (auto& [name, value] : scope) Store(name, std::move(value));
    Result<Flow> flow = Execute(statement.body);
    scopes_.pop_back();
    return flow;
  }

  Result<Flow> ExecuteFor(const Statement& statement) {
    EDGEMOE_ASSIGN_OR_FAIL(std::vector<Value> items, LoopItems(statement));
    if (items.empty()) return Execute(statement.else_body);
    const auto loop = std::make_shared<LoopState>();
    loop->items = std::move(items);
    loop->depth = ++loop_depth_;
    Result<Flow> flow = Flow::kNext;
    for (; loop->index < loop->items.size(); ++loop->index) {
      scopes_.emplace_back();
      Store("loop", Value(std::shared_ptr<const LoopState>(loop)));
      Status stored =
          At(statement.position, StoreTargets(statement.targets, loop->items[loop->index]));
      flow = stored.ok() ? Execute(statement.body) : Result<Flow>(Failure(stored));
      scopes_.pop_back();
      if (!flow || *flow == Flow::kBreak) break;
    }
    --loop_depth_;
    // A kept "loop" stays on the last item.
    loop->index = std::min(loop->index, loop->items.size() - 1);
    if (!flow) return flow;
    return Flow::kNext;
  }

  Status ExecuteSet(const Statement& statement) {
    EDGEMOE_ASSIGN_OR_RETURN(Value value, Evaluate(*statement.expression));
    if (statement.text.empty()) {
      return At(statement.position, StoreTargets(statement.targets, value));
    }
    const Value target = Lookup(statement.text);
    Namespace* fields = target.fields();
    if (fields == nullptr) {
      return ErrorAt(statement.position, "\"" + statement.text + "\" is " + target.Describe() +
                                             ", only a namespace's attributes can be set");
    }
    if (value.fields() != nullptr) {
      return ErrorAt(statement.position, "a namespace cannot be kept in a namespace");
    }
    if (Value* found = fields->Find(statement.targets[0])) {
      *found = std::move(value);
    } else {
      fields->fields.emplace_back(statement.targets[0], std::move(value));
    }
    return OkStatus();
  }

  // What `body` writes, in a scope of its own, instead of writing it.
  Result<std::string> Capture(const Body& body) {
    std::string outer = std::exchange(output_, {});
    scopes_.emplace_back();
    const Result<Flow> flow = Execute(body);
    scopes_.pop_back();
    std::string captured = std::exchange(output_, std::move(outer));
    if (!flow) return Failure(flow.error());
    return captured;
  }

  // ---- expressions

  Result<Value> Evaluate(const Expression& expression) {
    const Level level(*this);
    EDGEMOE_FAIL_IF_ERROR(level.Check(expression.position));
    using Kind = Expression::Kind;
    switch (expression.kind) {
      case Kind::kLiteral: return Value(expression.literal);
      case Kind::kName: return Lookup(expression.text);
      case Kind::kList: return EvaluateList(expression);
      case Kind::kDictionary: return EvaluateDictionary(expression);
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
      case Kind::kCall: return EvaluateCall(expression);
      case Kind::kFilter: {
        EDGEMOE_ASSIGN_OR_FAIL(Value input, Evaluate(*expression.operands[0]));
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

  Result<Value> EvaluateOperator(const Expression& expression) {
    EDGEMOE_ASSIGN_OR_FAIL(const Value left, Evaluate(*expression.operands[0]));
    switch (expression.kind) {
      case Expression::Kind::kNot: return Value(Json(!IsTrue(left)));
      case Expression::Kind::kNegate: return At(expression.position, Negate(left));
      case Expression::Kind::kPlus: return At(expression.position, Affirm(left));
      default: break;
    }
    EDGEMOE_ASSIGN_OR_FAIL(const Value right, Evaluate(*expression.operands[1]));
    return At(expression.position, ApplyBinary(expression.op, left, right, budget_));
  }

  Result<Value> EvaluateConditional(const Expression& expression) {
    EDGEMOE_ASSIGN_OR_FAIL(const Value condition, Evaluate(*expression.operands[1]));
    if (IsTrue(condition)) return Evaluate(*expression.operands[0]);
    if (expression.operands[2] == nullptr) return Value::MakeUndefined("else");
    return Evaluate(*expression.operands[2]);
  }

  // A value as part of a list or dictionary that is being made.
  Result<Json> EvaluatePart(const Expression& expression) {
    EDGEMOE_ASSIGN_OR_FAIL(const Value value, Evaluate(expression));
    if (value.json() != nullptr) {
      EDGEMOE_FAIL_IF_ERROR(At(expression.position, budget_.SpendFor(*value.json())));
    }
    return At(expression.position, ToJson(value));
  }

  Result<Value> EvaluateList(const Expression& expression) {
    Json list = Json::array();
    for (const ExpressionPtr& operand : expression.operands) {
      EDGEMOE_ASSIGN_OR_FAIL(Json item, EvaluatePart(*operand));
      list.push_back(std::move(item));
    }
    EDGEMOE_FAIL_IF_ERROR(At(expression.position, budget_.SpendFor(list)));
    return Value(std::move(list));
  }

  Result<Value> EvaluateDictionary(const Expression& expression) {
    Json dictionary = Json::object();
    for (std::size_t i = 0; i + 1 < expression.operands.size(); i += 2) {
      EDGEMOE_ASSIGN_OR_FAIL(const Value key, Evaluate(*expression.operands[i]));
      if (!key.is_string()) {
        return Failure(ErrorAt(expression.operands[i]->position,
                               "a dictionary's key is " + key.Describe() + ", not a string"));
      }
      EDGEMOE_ASSIGN_OR_FAIL(dictionary[*key.string()], EvaluatePart(*expression.operands[i + 1]));
    }
    EDGEMOE_FAIL_IF_ERROR(At(expression.position, budget_.SpendFor(dictionary)));
    return Value(std::move(dictionary));
  }

  Result<Value> EvaluateSlice(const Expression& expression) {
    Value parts[4];
    for (std::size_t i = 0; i < 4; ++i) {
      if (expression.operands[i] == nullptr) continue;
      EDGEMOE_ASSIGN_OR_FAIL(parts[i], Evaluate(*expression.operands[i]));
    }
    return At(expression.position, GetSlice(parts[0], parts[1], parts[2], parts[3], budget_));
  }

  Result<Arguments> EvaluateArguments(const Expression& expression) {
    Arguments arguments;
    for (std::size_t i = 1; i < expression.operands.size(); ++i) {
      EDGEMOE_ASSIGN_OR_FAIL(Value value, Evaluate(*expression.operands[i]));
      arguments.positional.push_back(std::move(value));
    }
    for (const auto& [name, operand] : expression.keywords) {
      EDGEMOE_ASSIGN_OR_FAIL(Value value, Evaluate(*operand));
      arguments.named.emplace_back(name, std::move(value));
    }
    return arguments;
  }

  Result<Value> Filter(const Expression& expression, const Value& input) {
    EDGEMOE_ASSIGN_OR_FAIL(const Arguments arguments, EvaluateArguments(expression));
    return At(expression.position, ApplyFilter(expression.text, input, arguments, budget_));
  }

  Result<Value> FilterChain(const Expression& expression, Value input) {
    const Level level(*this);
    EDGEMOE_FAIL_IF_ERROR(level.Check(expression.position));
    if (expression.operands[0] != nullptr) {
      EDGEMOE_ASSIGN_OR_FAIL(input, FilterChain(*expression.operands[0], std::move(input)));
    }
    return Filter(expression, input);
  }

  Result<Value> EvaluateTest(const Expression& expression) {
    EDGEMOE_ASSIGN_OR_FAIL(const Value value, Evaluate(*expression.operands[0]));
    EDGEMOE_ASSIGN_OR_FAIL(const Arguments arguments, EvaluateArguments(expression));
    EDGEMOE_ASSIGN_OR_FAIL(
        const bool holds,
        At(expression.position, ApplyTest(expression.text, value, arguments, budget_)));
    return Value(Json(holds));
  }

  Result<Value> EvaluateCall(const Expression& expression) {
    const Expression& callee = *expression.operands[0];
    if (callee.kind == Expression::Kind::kAttribute) {
      EDGEMOE_ASSIGN_OR_FAIL(const Value whole, Evaluate(*callee.operands[0]));
      if (whole.fields() == nullptr) {
        EDGEMOE_ASSIGN_OR_FAIL(const Arguments arguments, EvaluateArguments(expression));
        return At(expression.position, CallMethod(whole, callee.text, arguments, budget_));
      }
    }
    EDGEMOE_ASSIGN_OR_FAIL(const Value called, Evaluate(callee));
    if (!called.is_callable()) {
      return Failure(ErrorAt(expression.position, called.Describe() + " cannot be called"));
    }
    EDGEMOE_ASSIGN_OR_FAIL(const Arguments arguments, EvaluateArguments(expression));
    if (called.macro() != nullptr) return CallMacro(*called.macro(), arguments, expression);
    // What the template's author says is the message itself.
    if (*called.function() == Function::kRaiseException) {
      return CallFunction(*called.function(), arguments, options_.now, budget_);
    }
    return At(expression.position,
              CallFunction(*called.function(), arguments, options_.now, budget_));
  }

  // Paid for before it is made.
  Result<Json> CopyToJson(const Value& value, SourcePosition position) {
    EDGEMOE_FAIL_IF_ERROR(At(position, budget_.Spend(sizeof(Json))));
    if (value.json() != nullptr)
      EDGEMOE_FAIL_IF_ERROR(At(position, budget_.SpendFor(*value.json())));
    return At(position, ToJson(value));
  }

  Status BindMacro(const Statement& macro, const Arguments& arguments, SourcePosition position) {
    if (arguments.positional.size() > macro.parameters.size() && !macro.catches_positional) {
      return ErrorAt(position, "macro \"" + macro.text + "\" takes " +
                                   std::to_string(macro.parameters.size()) + " arguments");
    }
    Json rest_named = Json::object();
    for (const auto& [name, value] : arguments.named) {
      const bool known = std::any_of(macro.parameters.begin(), macro.parameters.end(),
                                     [&n = name](const auto& p) { return p.name == n; });
      if (!known && macro.catches_named) {
        EDGEMOE_ASSIGN_OR_RETURN(rest_named[name], CopyToJson(value, position));
      } else if (!known) {
        return ErrorAt(position, "macro \"" + macro.text + "\" has no parameter \"" + name + "\"");
      }
    }
    for (std::size_t i = 0; i < macro.parameters.size(); ++i) {
      const MacroParameter& parameter = macro.parameters[i];
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
      Store(parameter.name, std::move(value));
    }
    return BindRest(macro, arguments, std::move(rest_named), position);
  }

  // What no parameter takes, for macros that ask for it.
  Status BindRest(const Statement& macro, const Arguments& arguments, Json named,
                  SourcePosition position) {
    if (macro.catches_named) Store("kwargs", Value(std::move(named)));
    if (macro.catches_positional) {
      Json rest = Json::array();
      for (std::size_t i = macro.parameters.size(); i < arguments.positional.size(); ++i) {
        EDGEMOE_ASSIGN_OR_RETURN(Json item, CopyToJson(arguments.positional[i], position));
        rest.push_back(std::move(item));
      }
      Store("varargs", Value(std::move(rest)));
    }
    return OkStatus();
  }

  Result<Value> CallMacro(const Statement& macro, const Arguments& arguments,
                          const Expression& call) {
    scopes_.emplace_back();
    const std::size_t outer_frame = std::exchange(frame_, scopes_.size() - 1);
    const Status bound = BindMacro(macro, arguments, call.position);
    Result<std::string> text =
        bound.ok() ? Capture(macro.body) : Result<std::string>(Failure(bound));
    frame_ = outer_frame;
    scopes_.pop_back();
    if (!text) return Failure(std::move(text).error());
    return Value(Json(*std::move(text)));
  }

  const Json& context_;
  const RenderOptions& options_;
  Budget budget_;
  std::string output_;
  std::vector<Scope> scopes_;  // the template's own, then one for each loop and macro inside
  std::size_t frame_ = 0;      // the first scope of the macro that runs
  std::size_t loop_depth_ = 0;
  std::uint32_t depth_ = 0;
};

}  // namespace

Result<std::string> Evaluate(const Body& body, const Json& context, const RenderOptions& options) {
  return Evaluator(context, options).Run(body);
}

}  // namespace edgemoe::jinja
