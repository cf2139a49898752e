// SPDX-License-Identifier: Apache-2.0
#include "engine/template/syntax/parser.h"

#include <algorithm>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/template/syntax/expression_parser.h"
#include "engine/template/syntax/lexer.h"
#include "engine/template/syntax/token_cursor.h"

namespace edgemoe::jinja {

namespace {

class Parser {
 public:
  explicit Parser(std::span<const Token> tokens) : cursor_(tokens) {}

  Result<Body> Run() { return ParseBody({}); }

 private:
  // Up to a block tag that one of `ends` starts with, which is taken up to and with its name, and
  // named by `ended_by_`; up to the end of the template when `ends` is empty.
  Result<Body> ParseBody(std::span<const std::string_view> ends) {
    const TokenCursor::Nesting nesting(cursor_);
    EDGEMOE_FAIL_IF_ERROR(nesting.Check());
    const SourcePosition opened = cursor_.Peek().position;
    Body body;
    while (true) {
      const Token& token = cursor_.Take();
      switch (token.kind) {
        case Token::Kind::kText: {
          Statement text{.kind = Statement::Kind::kText, .position = token.position};
          text.text = token.text;
          body.push_back(std::move(text));
          break;
        }
        case Token::Kind::kOutputBegin: {
          Statement output{.kind = Statement::Kind::kOutput, .position = token.position};
          EDGEMOE_ASSIGN_OR_FAIL(output.expression, ParseTuple(cursor_));
          if (cursor_.Peek().kind != Token::Kind::kOutputEnd)
            return Failure(cursor_.Unexpected("\"}}\""));
          cursor_.Take();
          body.push_back(std::move(output));
          break;
        }
        case Token::Kind::kBlockBegin: {
          EDGEMOE_ASSIGN_OR_FAIL(const std::string name, cursor_.ExpectName("a tag's name"));
          if (std::find(ends.begin(), ends.end(), name) != ends.end()) {
            ended_by_ = name;
            return body;
          }
          EDGEMOE_ASSIGN_OR_FAIL(Statement statement, ParseTag(name, token.position));
          body.push_back(std::move(statement));
          break;
        }
        default:
          if (ends.empty()) return body;
          return Failure(ErrorAt(
              opened, "the part that starts here has no {% " + std::string(ends.back()) + " %}"));
      }
    }
  }

  Result<Body> ParseBodyUntil(std::string_view end) {
    const std::string_view ends[] = {end};
    EDGEMOE_FAIL_IF_ERROR(cursor_.ExpectBlockEnd());
    EDGEMOE_ASSIGN_OR_FAIL(Body body, ParseBody(ends));
    EDGEMOE_FAIL_IF_ERROR(cursor_.ExpectBlockEnd());
    return body;
  }

  Result<Statement> ParseTag(const std::string& name, SourcePosition position) {
    Statement statement{.position = position};
    if (name == "if") return ParseIf(std::move(statement));
    if (name == "for") return ParseFor(std::move(statement));
    if (name == "set") return ParseSet(std::move(statement));
    if (name == "macro") return ParseMacro(std::move(statement));
    if (name == "call") return ParseCall(std::move(statement));
    if (name == "with") return ParseWith(std::move(statement));
    if (name == "filter") {
      statement.kind = Statement::Kind::kFilter;
      EDGEMOE_ASSIGN_OR_FAIL(statement.expression, ParseFilterChain(cursor_));
      EDGEMOE_ASSIGN_OR_FAIL(statement.body, ParseBodyUntil("endfilter"));
      return statement;
    }
    if (name == "generation") {  // marks the assistant's text for training
      statement.kind = Statement::Kind::kGroup;
      EDGEMOE_FAIL_IF_ERROR(ParseMacroBody("endgeneration", statement));
      return statement;
    }
    if (name == "break" || name == "continue") {
      if (loops_ == 0) return Failure(ErrorAt(position, "\"" + name + "\" outside of a loop"));
      statement.kind = name == "break" ? Statement::Kind::kBreak : Statement::Kind::kContinue;
      EDGEMOE_FAIL_IF_ERROR(cursor_.ExpectBlockEnd());
      return statement;
    }
    return Failure(
        ErrorAt(position, "tag \"" + name.substr(0, 40) +
                              "\" is not known here: if, for, set, macro, call, with, filter, "
                              "raw, generation, break and continue are"));
  }

  Result<Statement> ParseIf(Statement statement) {
    static constexpr std::string_view kEnds[] = {"elif", "else", "endif"};
    statement.kind = Statement::Kind::kIf;
    EDGEMOE_ASSIGN_OR_FAIL(ExpressionPtr condition, ParseTuple(cursor_));
    while (true) {
      EDGEMOE_FAIL_IF_ERROR(cursor_.ExpectBlockEnd());
      const bool is_else = condition == nullptr;
      EDGEMOE_ASSIGN_OR_FAIL(Body body,
                             ParseBody(is_else ? std::span(kEnds).subspan(2) : std::span(kEnds)));
      statement.branches.push_back({std::move(condition), std::move(body)});
      condition = nullptr;
      if (ended_by_ == "endif") break;
      if (ended_by_ == "elif") {
        EDGEMOE_ASSIGN_OR_FAIL(condition, ParseTuple(cursor_));
      }
    }
    EDGEMOE_FAIL_IF_ERROR(cursor_.ExpectBlockEnd());
    return statement;
  }

  // "a", "a, b", "a, (b, c)"; in brackets up to the closing one, which a comma may stand before.
  Result<Target> ParseTarget(bool in_brackets = false) {
    const TokenCursor::Nesting nesting(cursor_);
    EDGEMOE_FAIL_IF_ERROR(nesting.Check());
    Target tuple;
    bool is_tuple = false;
    while (true) {
      if (is_tuple && in_brackets && cursor_.IsOperator(")")) break;
      EDGEMOE_ASSIGN_OR_FAIL(Target part, ParseTargetPart());
      tuple.parts.push_back(std::move(part));
      if (!cursor_.TakeOperator(",")) break;
      is_tuple = true;
    }
    if (in_brackets) EDGEMOE_FAIL_IF_ERROR(cursor_.ExpectOperator(")"));
    if (!is_tuple) return std::move(tuple.parts.front());
    return tuple;
  }

  Result<Target> ParseTargetPart() {
    if (cursor_.TakeOperator("(")) return ParseTarget(/*in_brackets=*/true);
    Target target;
    EDGEMOE_ASSIGN_OR_FAIL(target.name, cursor_.ExpectName("a variable's name"));
    return target;
  }

  Result<Statement> ParseFor(Statement statement) {
    static constexpr std::string_view kEnds[] = {"else", "endfor"};
    statement.kind = Statement::Kind::kFor;
    EDGEMOE_ASSIGN_OR_FAIL(statement.target, ParseTarget());
    if (!cursor_.TakeName("in")) return Failure(cursor_.Unexpected("\"in\""));
    EDGEMOE_ASSIGN_OR_FAIL(statement.expression, ParseTuple(cursor_, /*allow_conditional=*/false));
    if (cursor_.TakeName("if")) {
      EDGEMOE_ASSIGN_OR_FAIL(statement.condition, ParseExpression(cursor_));
    }
    statement.is_recursive = cursor_.TakeName("recursive");
    EDGEMOE_FAIL_IF_ERROR(cursor_.ExpectBlockEnd());
    ++loops_;
    auto body = ParseBody(kEnds);
    --loops_;
    if (!body) return Failure(std::move(body).error());
    statement.body = *std::move(body);
    if (ended_by_ == "else") {
      EDGEMOE_ASSIGN_OR_FAIL(statement.else_body, ParseBodyUntil("endfor"));
    } else {
      EDGEMOE_FAIL_IF_ERROR(cursor_.ExpectBlockEnd());
    }
    return statement;
  }

  Result<Statement> ParseSet(Statement statement) {
    statement.kind = Statement::Kind::kSet;
    EDGEMOE_ASSIGN_OR_FAIL(statement.target, ParseTarget());
    if (!statement.target.name.empty() && cursor_.TakeOperator(".")) {
      EDGEMOE_ASSIGN_OR_FAIL(statement.target.field, cursor_.ExpectName("a namespace's attribute"));
    }
    if (cursor_.TakeOperator("=")) {
      EDGEMOE_ASSIGN_OR_FAIL(statement.expression, ParseTuple(cursor_));
      EDGEMOE_FAIL_IF_ERROR(cursor_.ExpectBlockEnd());
      return statement;
    }
    if (statement.target.name.empty()) {
      return Failure(cursor_.Unexpected("\"=\""));
    }
    statement.kind = Statement::Kind::kSetBlock;
    if (cursor_.TakeOperator("|")) {
      EDGEMOE_ASSIGN_OR_FAIL(statement.expression, ParseFilterChain(cursor_));
    }
    EDGEMOE_ASSIGN_OR_FAIL(statement.body, ParseBodyUntil("endset"));
    return statement;
  }

  Result<Statement> ParseWith(Statement statement) {
    statement.kind = Statement::Kind::kWith;
    while (cursor_.Peek().kind != Token::Kind::kBlockEnd) {
      if (!statement.parameters.empty()) EDGEMOE_FAIL_IF_ERROR(cursor_.ExpectOperator(","));
      MacroParameter variable;
      EDGEMOE_ASSIGN_OR_FAIL(variable.name, cursor_.ExpectName("a variable's name"));
      EDGEMOE_FAIL_IF_ERROR(cursor_.ExpectOperator("="));
      EDGEMOE_ASSIGN_OR_FAIL(variable.default_value, ParseExpression(cursor_));
      statement.parameters.push_back(std::move(variable));
    }
    EDGEMOE_ASSIGN_OR_FAIL(statement.body, ParseBodyUntil("endwith"));
    return statement;
  }

  Status ParseParameters(Statement& statement) {
    EDGEMOE_RETURN_IF_ERROR(cursor_.ExpectOperator("("));
    while (!cursor_.TakeOperator(")")) {
      if (!statement.parameters.empty()) EDGEMOE_RETURN_IF_ERROR(cursor_.ExpectOperator(","));
      MacroParameter parameter;
      EDGEMOE_ASSIGN_OR_RETURN(parameter.name, cursor_.ExpectName("a parameter's name"));
      if (cursor_.TakeOperator("=")) {
        EDGEMOE_ASSIGN_OR_RETURN(parameter.default_value, ParseExpression(cursor_));
      }
      statement.parameters.push_back(std::move(parameter));
    }
    return OkStatus();
  }

  // The body of a macro or of a call, which no loop around it is left from.
  Status ParseMacroBody(std::string_view end, Statement& statement) {
    const std::size_t begin = cursor_.offset();
    const std::uint32_t loops = std::exchange(loops_, 0);
    auto body = ParseBodyUntil(end);
    loops_ = loops;
    if (!body) return std::move(body).error();
    statement.body = *std::move(body);
    statement.catches_positional = cursor_.Mentions("varargs", begin);
    statement.catches_named = cursor_.Mentions("kwargs", begin);
    statement.catches_caller =
        cursor_.Mentions("caller", begin) &&
        std::none_of(statement.parameters.begin(), statement.parameters.end(),
                     [](const MacroParameter& parameter) { return parameter.name == "caller"; });
    return OkStatus();
  }

  Result<Statement> ParseMacro(Statement statement) {
    statement.kind = Statement::Kind::kMacro;
    EDGEMOE_ASSIGN_OR_FAIL(statement.text, cursor_.ExpectName("a macro's name"));
    EDGEMOE_FAIL_IF_ERROR(ParseParameters(statement));
    EDGEMOE_FAIL_IF_ERROR(ParseMacroBody("endmacro", statement));
    return statement;
  }

  Result<Statement> ParseCall(Statement statement) {
    statement.kind = Statement::Kind::kCall;
    statement.text = "caller";
    if (cursor_.IsOperator("(")) EDGEMOE_FAIL_IF_ERROR(ParseParameters(statement));
    const SourcePosition position = cursor_.Peek().position;
    EDGEMOE_ASSIGN_OR_FAIL(statement.expression, ParseExpression(cursor_));
    if (statement.expression->kind != Expression::Kind::kCall) {
      return Failure(ErrorAt(position, "expected a call of a macro"));
    }
    EDGEMOE_FAIL_IF_ERROR(ParseMacroBody("endcall", statement));
    return statement;
  }

  TokenCursor cursor_;
  std::uint32_t loops_ = 0;  // around this place, in this macro
  std::string ended_by_;     // the tag that ended the last body
};

}  // namespace

Result<Body> ParseTemplate(std::string_view source) {
  if (source.size() > kSourceBytesMax) {
    return Failure(InvalidArgumentError("chat template: " + std::to_string(source.size()) +
                                        " bytes: up to " + std::to_string(kSourceBytesMax) +
                                        " are accepted"));
  }
  EDGEMOE_ASSIGN_OR_FAIL(const std::vector<Token> tokens, Tokenize(source));
  return Parser(tokens).Run();
}

}  // namespace edgemoe::jinja
