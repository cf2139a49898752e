// SPDX-License-Identifier: Apache-2.0
#include "engine/template/syntax/expression_parser.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace edgemoe::jinja {

namespace {

using Kind = Expression::Kind;

struct BinaryOperator {
  std::string_view text;
  Operator op;
};
constexpr BinaryOperator kComparisons[] = {
    {"==", Operator::kEqual},     {"!=", Operator::kNotEqual}, {"<", Operator::kLess},
    {"<=", Operator::kLessEqual}, {">", Operator::kGreater},   {">=", Operator::kGreaterEqual}};
constexpr BinaryOperator kSums[] = {{"+", Operator::kAdd}, {"-", Operator::kSubtract}};
constexpr BinaryOperator kConcatenations[] = {{"~", Operator::kConcatenate}};
constexpr BinaryOperator kProducts[] = {{"*", Operator::kMultiply},
                                        {"/", Operator::kDivide},
                                        {"//", Operator::kFloorDivide},
                                        {"%", Operator::kModulo}};
constexpr BinaryOperator kPowers[] = {{"**", Operator::kPower}};

// Its functions stand in the order of binding: from the weakest operator to the strongest.
class ExpressionParser {
 public:
  explicit ExpressionParser(TokenCursor& cursor) : cursor_(cursor) {}

  // "a, b" is a tuple, as in {% set x, y = 1, 2 %}.
  Result<ExpressionPtr> ParseTuple(bool allow_conditional = true) {
    const SourcePosition position = cursor_.Peek().position;
    EDGEMOE_ASSIGN_OR_FAIL(ExpressionPtr first, allow_conditional ? ParseExpression() : ParseOr());
    if (!cursor_.IsOperator(",")) return first;
    Expression tuple{.kind = Kind::kTuple, .position = position};
    tuple.operands.push_back(std::move(first));
    while (cursor_.TakeOperator(",")) {
      const Token::Kind behind = cursor_.Peek().kind;
      if (behind == Token::Kind::kBlockEnd || behind == Token::Kind::kOutputEnd ||
          cursor_.IsOperator(")")) {
        break;
      }
      EDGEMOE_ASSIGN_OR_FAIL(ExpressionPtr next, allow_conditional ? ParseExpression() : ParseOr());
      tuple.operands.push_back(std::move(next));
    }
    return Finish(std::move(tuple));
  }

  Result<ExpressionPtr> ParseExpression() {
    const TokenCursor::Nesting nesting(cursor_);
    EDGEMOE_FAIL_IF_ERROR(nesting.Check());
    EDGEMOE_ASSIGN_OR_FAIL(ExpressionPtr value, ParseOr());
    while (cursor_.IsName("if")) {
      Expression conditional{.kind = Kind::kConditional, .position = cursor_.Take().position};
      EDGEMOE_ASSIGN_OR_FAIL(ExpressionPtr condition, ParseOr());
      ExpressionPtr otherwise;
      if (cursor_.TakeName("else")) {
        EDGEMOE_ASSIGN_OR_FAIL(otherwise, ParseExpression());
      }
      conditional.operands = {std::move(value), std::move(condition), std::move(otherwise)};
      EDGEMOE_ASSIGN_OR_FAIL(value, Finish(std::move(conditional)));
    }
    return value;
  }

  Result<ExpressionPtr> ParseOr() {
    EDGEMOE_ASSIGN_OR_FAIL(ExpressionPtr left, ParseAnd());
    while (cursor_.IsName("or")) {
      const SourcePosition position = cursor_.Take().position;
      EDGEMOE_ASSIGN_OR_FAIL(ExpressionPtr right, ParseAnd());
      EDGEMOE_ASSIGN_OR_FAIL(left, Join(Kind::kOr, Operator::kAdd, position, left, right));
    }
    return left;
  }

  Result<ExpressionPtr> ParseAnd() {
    EDGEMOE_ASSIGN_OR_FAIL(ExpressionPtr left, ParseNot());
    while (cursor_.IsName("and")) {
      const SourcePosition position = cursor_.Take().position;
      EDGEMOE_ASSIGN_OR_FAIL(ExpressionPtr right, ParseNot());
      EDGEMOE_ASSIGN_OR_FAIL(left, Join(Kind::kAnd, Operator::kAdd, position, left, right));
    }
    return left;
  }

  Result<ExpressionPtr> ParseNot() {
    if (!cursor_.IsName("not")) return ParseComparison();
    const TokenCursor::Nesting nesting(cursor_);
    EDGEMOE_FAIL_IF_ERROR(nesting.Check());
    Expression negation{.kind = Kind::kNot, .position = cursor_.Take().position};
    EDGEMOE_ASSIGN_OR_FAIL(ExpressionPtr operand, ParseNot());
    negation.operands.push_back(std::move(operand));
    return Finish(std::move(negation));
  }

  std::optional<Operator> TakeComparison() {
    for (const BinaryOperator& comparison : kComparisons) {
      if (cursor_.TakeOperator(comparison.text)) return comparison.op;
    }
    if (cursor_.TakeName("in")) return Operator::kIn;
    if (cursor_.IsName("not") && cursor_.IsName("in", 1)) {
      cursor_.Take();
      cursor_.Take();
      return Operator::kNotIn;
    }
    return std::nullopt;
  }

  // "a < b < c" is "a < b and b < c".
  Result<ExpressionPtr> ParseComparison() {
    EDGEMOE_ASSIGN_OR_FAIL(ExpressionPtr left, ParseSum());
    ExpressionPtr chain;
    while (true) {
      const SourcePosition position = cursor_.Peek().position;
      const std::optional<Operator> op = TakeComparison();
      if (!op) return chain == nullptr ? left : chain;
      EDGEMOE_ASSIGN_OR_FAIL(ExpressionPtr right, ParseSum());
      EDGEMOE_ASSIGN_OR_FAIL(ExpressionPtr link, Join(Kind::kBinary, *op, position, left, right));
      if (chain == nullptr) {
        chain = std::move(link);
      } else {
        EDGEMOE_ASSIGN_OR_FAIL(chain, Join(Kind::kAnd, Operator::kAdd, position, chain, link));
      }
      left = std::move(right);
    }
  }

  template <class Operand>
  Result<ExpressionPtr> ParseBinary(std::span<const BinaryOperator> operators, Operand operand) {
    EDGEMOE_ASSIGN_OR_FAIL(ExpressionPtr left, operand());
    while (true) {
      const SourcePosition position = cursor_.Peek().position;
      const auto found =
          std::find_if(operators.begin(), operators.end(),
                       [this](const BinaryOperator& o) { return cursor_.IsOperator(o.text); });
      if (found == operators.end()) return left;
      cursor_.Take();
      EDGEMOE_ASSIGN_OR_FAIL(ExpressionPtr right, operand());
      EDGEMOE_ASSIGN_OR_FAIL(left, Join(Kind::kBinary, found->op, position, left, right));
    }
  }
  Result<ExpressionPtr> ParseSum() {
    return ParseBinary(kSums, [this] { return ParseConcatenation(); });
  }
  Result<ExpressionPtr> ParseConcatenation() {
    return ParseBinary(kConcatenations, [this] { return ParseProduct(); });
  }
  Result<ExpressionPtr> ParseProduct() {
    return ParseBinary(kProducts, [this] { return ParsePower(); });
  }
  Result<ExpressionPtr> ParsePower() {
    return ParseBinary(kPowers, [this] { return ParseUnary(true); });
  }

  // A sign is weaker than what follows a value, but stronger than its filters.
  Result<ExpressionPtr> ParseUnary(bool with_filters) {
    ExpressionPtr value;
    if (cursor_.IsOperator("-") || cursor_.IsOperator("+")) {
      const TokenCursor::Nesting nesting(cursor_);
      EDGEMOE_FAIL_IF_ERROR(nesting.Check());
      Expression sign{.kind = cursor_.IsOperator("-") ? Kind::kNegate : Kind::kPlus,
                      .position = cursor_.Take().position};
      EDGEMOE_ASSIGN_OR_FAIL(ExpressionPtr operand, ParseUnary(false));
      sign.operands.push_back(std::move(operand));
      EDGEMOE_ASSIGN_OR_FAIL(value, Finish(std::move(sign)));
    } else {
      EDGEMOE_ASSIGN_OR_FAIL(value, ParsePrimary());
      EDGEMOE_ASSIGN_OR_FAIL(value, ParsePostfix(std::move(value)));
    }
    if (with_filters) {
      EDGEMOE_ASSIGN_OR_FAIL(value, ParseFiltersAndTests(std::move(value)));
    }
    return value;
  }

  Result<ExpressionPtr> ParsePrimary() {
    const Token& token = cursor_.Peek();
    switch (token.kind) {
      case Token::Kind::kString: {
        std::string text;
        while (cursor_.Peek().kind == Token::Kind::kString) text += cursor_.Take().text;
        return Literal(token.position, Value(std::move(text)));
      }
      case Token::Kind::kInteger:
      case Token::Kind::kFloat: return ParseNumber();
      case Token::Kind::kName: return ParseNameOrConstant();
      case Token::Kind::kOperator:
        if (token.text == "(") return ParseParentheses();
        if (token.text == "[") return ParseList();
        if (token.text == "{") return ParseDictionary();
        break;
      default: break;
    }
    return Failure(cursor_.Unexpected("a value"));
  }

  Result<ExpressionPtr> ParseNumber() {
    const Token& token = cursor_.Take();
    const char* end = token.text.data() + token.text.size();
    if (token.kind == Token::Kind::kInteger) {
      std::int64_t value = 0;
      if (std::from_chars(token.text.data(), end, value).ec == std::errc()) {
        return Literal(token.position, Value(value));
      }
    } else {
      double value = 0;
      if (std::from_chars(token.text.data(), end, value).ec == std::errc()) {
        return Literal(token.position, Value(value));
      }
    }
    return Failure(
        ErrorAt(token.position, "number " + token.text.substr(0, 40) + " does not fit in 64 bits"));
  }

  Result<ExpressionPtr> ParseNameOrConstant() {
    const Token& token = cursor_.Take();
    if (token.text == "true" || token.text == "True") return Literal(token.position, Value(true));
    if (token.text == "false" || token.text == "False")
      return Literal(token.position, Value(false));
    if (token.text == "none" || token.text == "None")
      return Literal(token.position, Value(nullptr));
    Expression name{.kind = Kind::kName, .position = token.position};
    name.text = token.text;
    return Finish(std::move(name));
  }

  Result<ExpressionPtr> ParseParentheses() {
    const SourcePosition position = cursor_.Take().position;
    if (cursor_.TakeOperator(")"))
      return Finish(Expression{.kind = Kind::kTuple, .position = position});
    EDGEMOE_ASSIGN_OR_FAIL(ExpressionPtr value, ParseTuple());
    EDGEMOE_FAIL_IF_ERROR(cursor_.ExpectOperator(")"));
    return value;
  }

  Result<ExpressionPtr> ParseList() {
    Expression list{.kind = Kind::kList, .position = cursor_.Take().position};
    while (!cursor_.TakeOperator("]")) {
      if (!list.operands.empty()) {
        EDGEMOE_FAIL_IF_ERROR(cursor_.ExpectOperator(","));
        if (cursor_.TakeOperator("]")) break;
      }
      EDGEMOE_ASSIGN_OR_FAIL(ExpressionPtr item, ParseExpression());
      list.operands.push_back(std::move(item));
    }
    return Finish(std::move(list));
  }

  Result<ExpressionPtr> ParseDictionary() {
    Expression dictionary{.kind = Kind::kDictionary, .position = cursor_.Take().position};
    while (!cursor_.TakeOperator("}")) {
      if (!dictionary.operands.empty()) {
        EDGEMOE_FAIL_IF_ERROR(cursor_.ExpectOperator(","));
        if (cursor_.TakeOperator("}")) break;
      }
      EDGEMOE_ASSIGN_OR_FAIL(ExpressionPtr key, ParseExpression());
      EDGEMOE_FAIL_IF_ERROR(cursor_.ExpectOperator(":"));
      EDGEMOE_ASSIGN_OR_FAIL(ExpressionPtr value, ParseExpression());
      dictionary.operands.push_back(std::move(key));
      dictionary.operands.push_back(std::move(value));
    }
    return Finish(std::move(dictionary));
  }

  Result<ExpressionPtr> ParsePostfix(ExpressionPtr value) {
    while (true) {
      if (cursor_.IsOperator(".")) {
        Expression attribute{.kind = Kind::kAttribute, .position = cursor_.Take().position};
        if (cursor_.Peek().kind == Token::Kind::kInteger) {  // "pair.0"
          attribute.kind = Kind::kSubscript;
          EDGEMOE_ASSIGN_OR_FAIL(ExpressionPtr index, ParseNumber());
          attribute.operands = {std::move(value), std::move(index)};
        } else {
          EDGEMOE_ASSIGN_OR_FAIL(attribute.text, cursor_.ExpectName("an attribute's name"));
          attribute.operands.push_back(std::move(value));
        }
        EDGEMOE_ASSIGN_OR_FAIL(value, Finish(std::move(attribute)));
      } else if (cursor_.IsOperator("[")) {
        EDGEMOE_ASSIGN_OR_FAIL(value, ParseSubscript(std::move(value)));
      } else if (cursor_.IsOperator("(")) {
        Expression call{.kind = Kind::kCall, .position = cursor_.Peek().position};
        call.operands.push_back(std::move(value));
        EDGEMOE_FAIL_IF_ERROR(ParseArguments(call));
        EDGEMOE_ASSIGN_OR_FAIL(value, Finish(std::move(call)));
      } else {
        return value;
      }
    }
  }

  Result<ExpressionPtr> ParseSubscript(ExpressionPtr value) {
    Expression subscript{.kind = Kind::kSubscript, .position = cursor_.Take().position};
    subscript.operands.push_back(std::move(value));
    ExpressionPtr parts[3];
    std::size_t colons = 0;
    while (!cursor_.IsOperator("]")) {
      if (cursor_.TakeOperator(":")) {
        if (++colons > 2) return Failure(ErrorAt(subscript.position, "slice with three colons"));
        continue;
      }
      if (parts[colons] != nullptr) return Failure(cursor_.Unexpected("\"]\""));
      EDGEMOE_ASSIGN_OR_FAIL(parts[colons], ParseExpression());
    }
    cursor_.Take();
    if (colons > 0) {
      subscript.kind = Kind::kSlice;
      for (ExpressionPtr& part : parts) subscript.operands.push_back(std::move(part));
    } else if (parts[0] != nullptr) {
      subscript.operands.push_back(std::move(parts[0]));
    } else {
      return Failure(ErrorAt(subscript.position, "empty subscript"));
    }
    return Finish(std::move(subscript));
  }

  Status ParseArguments(Expression& call) {
    EDGEMOE_RETURN_IF_ERROR(cursor_.ExpectOperator("("));
    bool first = true;
    while (!cursor_.TakeOperator(")")) {
      if (!first) {
        EDGEMOE_RETURN_IF_ERROR(cursor_.ExpectOperator(","));
        if (cursor_.TakeOperator(")")) break;
      }
      first = false;
      const bool has_spread_names = !call.keywords.empty() && call.keywords.back().first.empty();
      if (has_spread_names) return cursor_.Unexpected("\")\"");
      if (cursor_.TakeOperator("**")) {
        EDGEMOE_ASSIGN_OR_RETURN(ExpressionPtr names, ParseExpression());
        call.keywords.emplace_back("", std::move(names));
        continue;
      }
      if (cursor_.Peek().kind == Token::Kind::kName && cursor_.IsOperator("=", 1)) {
        std::string name = cursor_.Take().text;
        cursor_.Take();
        EDGEMOE_ASSIGN_OR_RETURN(ExpressionPtr value, ParseExpression());
        call.keywords.emplace_back(std::move(name), std::move(value));
        continue;
      }
      const bool has_spread =
          call.operands.back() != nullptr && call.operands.back()->kind == Kind::kSpread;
      if (has_spread || (!call.keywords.empty() && !cursor_.IsOperator("*"))) {
        return cursor_.Unexpected("a named argument");
      }
      const bool spreads = cursor_.IsOperator("*");
      Expression spread{.kind = Kind::kSpread, .position = cursor_.Peek().position};
      if (spreads) cursor_.Take();
      EDGEMOE_ASSIGN_OR_RETURN(ExpressionPtr value, ParseExpression());
      if (spreads) {
        spread.operands.push_back(std::move(value));
        EDGEMOE_ASSIGN_OR_RETURN(value, Finish(std::move(spread)));
      }
      call.operands.push_back(std::move(value));
    }
    return OkStatus();
  }

  Result<ExpressionPtr> ParseFiltersAndTests(ExpressionPtr value) {
    while (true) {
      if (cursor_.IsOperator("|")) {
        cursor_.Take();
        EDGEMOE_ASSIGN_OR_FAIL(value, ParseFilter(std::move(value)));
      } else if (cursor_.IsName("is")) {
        EDGEMOE_ASSIGN_OR_FAIL(value, ParseTest(std::move(value)));
      } else if (cursor_.IsOperator("(")) {
        return Failure(cursor_.Unexpected("an operator"));
      } else {
        return value;
      }
    }
  }

  Result<ExpressionPtr> ParseFilter(ExpressionPtr value) {
    Expression filter{.kind = Kind::kFilter, .position = cursor_.Peek().position};
    EDGEMOE_ASSIGN_OR_FAIL(filter.text, cursor_.ExpectName("a filter's name"));
    filter.operands.push_back(std::move(value));
    if (cursor_.IsOperator("(")) EDGEMOE_FAIL_IF_ERROR(ParseArguments(filter));
    return Finish(std::move(filter));
  }

  // The filters of a {% filter %} tag; their input is the null operand of the innermost one.
  Result<ExpressionPtr> ParseFilterChain() {
    EDGEMOE_ASSIGN_OR_FAIL(ExpressionPtr chain, ParseFilter(nullptr));
    while (cursor_.TakeOperator("|")) {
      EDGEMOE_ASSIGN_OR_FAIL(chain, ParseFilter(std::move(chain)));
    }
    return chain;
  }

  // A test takes its argument in brackets or, as in "is divisibleby 3", without.
  bool AtBareArgument() const {
    switch (cursor_.Peek().kind) {
      case Token::Kind::kString:
      case Token::Kind::kInteger:
      case Token::Kind::kFloat: return true;
      case Token::Kind::kOperator: return cursor_.Peek().text == "[" || cursor_.Peek().text == "{";
      case Token::Kind::kName:
        return !cursor_.IsName("else") && !cursor_.IsName("or") && !cursor_.IsName("and") &&
               !cursor_.IsName("if") && !cursor_.IsName("is") && !cursor_.IsName("not") &&
               !cursor_.IsName("in");
      default: return false;
    }
  }

  Result<ExpressionPtr> ParseTest(ExpressionPtr value) {
    Expression test{.kind = Kind::kTest, .position = cursor_.Take().position};
    const bool negated = cursor_.TakeName("not");
    EDGEMOE_ASSIGN_OR_FAIL(test.text, cursor_.ExpectName("a test's name"));
    test.operands.push_back(std::move(value));
    if (cursor_.IsOperator("(")) {
      EDGEMOE_FAIL_IF_ERROR(ParseArguments(test));
    } else if (AtBareArgument()) {
      EDGEMOE_ASSIGN_OR_FAIL(ExpressionPtr argument, ParsePrimary());
      EDGEMOE_ASSIGN_OR_FAIL(argument, ParsePostfix(std::move(argument)));
      test.operands.push_back(std::move(argument));
    }
    const SourcePosition position = test.position;
    EDGEMOE_ASSIGN_OR_FAIL(ExpressionPtr tested, Finish(std::move(test)));
    if (!negated) return tested;
    Expression negation{.kind = Kind::kNot, .position = position};
    negation.operands.push_back(std::move(tested));
    return Finish(std::move(negation));
  }

  // ---- nodes

  // Every node is made here, which is where the depth of its tree is bounded.
  Result<ExpressionPtr> Finish(Expression expression) {
    std::uint32_t below = 0;
    for (const ExpressionPtr& operand : expression.operands) {
      if (operand != nullptr) below = std::max(below, operand->depth);
    }
    for (const auto& [name, value] : expression.keywords) below = std::max(below, value->depth);
    expression.depth = below + 1;
    if (expression.depth > kExpressionDepthMax) {
      return Failure(ErrorAt(
          expression.position,
          "expression of more than " + std::to_string(kExpressionDepthMax) + " nested operations"));
    }
    return std::make_shared<const Expression>(std::move(expression));
  }

  Result<ExpressionPtr> Literal(SourcePosition position, Value value) {
    Expression literal{.kind = Kind::kLiteral, .position = position};
    literal.literal = std::move(value);
    return Finish(std::move(literal));
  }

  Result<ExpressionPtr> Join(Kind kind, Operator op, SourcePosition position, ExpressionPtr left,
                             ExpressionPtr right) {
    Expression joined{.kind = kind, .op = op, .position = position};
    joined.operands = {std::move(left), std::move(right)};
    return Finish(std::move(joined));
  }

  TokenCursor& cursor_;
};

}  // namespace

Result<ExpressionPtr> ParseTuple(TokenCursor& cursor, bool allow_conditional) {
  return ExpressionParser(cursor).ParseTuple(allow_conditional);
}

Result<ExpressionPtr> ParseExpression(TokenCursor& cursor) {
  return ExpressionParser(cursor).ParseExpression();
}

Result<ExpressionPtr> ParseFilterChain(TokenCursor& cursor) {
  return ExpressionParser(cursor).ParseFilterChain();
}

}  // namespace edgemoe::jinja
