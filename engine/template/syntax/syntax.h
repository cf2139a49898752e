// SPDX-License-Identifier: Apache-2.0
//
// The syntax tree of a chat template. Nodes are shared and immutable once parsed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/template/values/value.h"

namespace edgemoe::jinja {

// Counted from 1; a column is a byte.
struct SourcePosition {
  std::uint32_t line = 1;
  std::uint32_t column = 1;
};

enum class Operator : std::uint8_t {
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kFloorDivide,
  kModulo,
  kPower,
  kConcatenate,
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kIn,
  kNotIn,
};

struct Expression;
using ExpressionPtr = std::shared_ptr<const Expression>;

struct Expression {
  enum class Kind : std::uint8_t {
    kLiteral,      // literal
    kName,         // text
    kList,         // operands
    kTuple,        // operands
    kDictionary,   // operands: key, value, key, value ...
    kAttribute,    // operands[0].text
    kSubscript,    // operands[0][operands[1]]
    kSlice,        // operands[0][operands[1]:operands[2]:operands[3]], the last three may be null
    kCall,         // operands[0](operands[1..], keywords)
    kFilter,       // operands[0] | text(operands[1..], keywords)
    kSpread,       // "*" before the last of operands in a call: its items are arguments
    kTest,         // operands[0] is text(operands[1..])
    kNot,          // operands[0]
    kNegate,       // operands[0]
    kPlus,         // operands[0]
    kAnd,          // operands[0], operands[1]
    kOr,           // operands[0], operands[1]
    kBinary,       // operands[0] op operands[1]
    kConditional,  // operands[0] if operands[1] else operands[2], which may be null
  };
  Kind kind = Kind::kLiteral;
  Operator op = Operator::kAdd;
  SourcePosition position{};
  std::string text{};
  Value literal{};
  std::vector<ExpressionPtr> operands{};
  // Without a name, and last: "**", a dictionary of more.
  std::vector<std::pair<std::string, ExpressionPtr>> keywords{};
  std::uint32_t depth = 1;  // of the tree below, itself included
};

struct Statement;
using Body = std::vector<Statement>;

struct Branch {
  ExpressionPtr condition;  // null: else
  Body body;
};

// What an assignment or a loop stores to.
struct Target {
  std::string name{};           // of a variable
  std::string field{};          // of the namespace that `name` is; may be empty
  std::vector<Target> parts{};  // of a tuple, for which there is no name
};

struct MacroParameter {
  std::string name{};
  ExpressionPtr default_value{};  // may be null
};

struct Statement {
  enum class Kind : std::uint8_t {
    kText,      // text
    kOutput,    // {{ expression }}
    kIf,        // branches
    kFor,       // target in expression, condition may be null, body, else_body
    kSet,       // target = expression
    kSetBlock,  // target = what body writes, through expression if there is one
    kMacro,     // text(parameters), body
    kWith,      // parameters, with their values, for body
    kCall,      // what the macro that expression calls writes; body is its caller(parameters)
    kFilter,    // what body writes, through expression, whose innermost operand is null
    kGroup,     // body, in a scope of its own
    kBreak,
    kContinue,
  };
  Kind kind = Kind::kText;
  SourcePosition position{};
  std::string text{};
  ExpressionPtr expression{};
  ExpressionPtr condition{};
  Target target{};
  std::vector<MacroParameter> parameters{};
  std::vector<Branch> branches{};
  Body body{};
  Body else_body{};
  // kMacro and kCall: the body speaks of varargs, of kwargs and of caller.
  bool catches_positional = false;
  bool catches_named = false;
  bool catches_caller = false;
  bool is_recursive = false;  // kFor: its body can call loop(items)
};

}  // namespace edgemoe::jinja
