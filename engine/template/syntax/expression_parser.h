// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "engine/base/result.h"
#include "engine/template/syntax/syntax.h"
#include "engine/template/syntax/token_cursor.h"

namespace edgemoe::jinja {

constexpr std::uint32_t kExpressionDepthMax = 160;  // of a tree, so also the terms of one sum

// Each function takes one expression from the cursor, as much as belongs to it.

// "a", or "a, b" as a tuple. Without `allow_conditional` it stops at an "if".
Result<ExpressionPtr> ParseTuple(TokenCursor& cursor, bool allow_conditional = true);

Result<ExpressionPtr> ParseExpression(TokenCursor& cursor);

// "indent(2) | trim", as in a {% filter %} tag. The input is the null operand of the first one.
Result<ExpressionPtr> ParseFilterChain(TokenCursor& cursor);

}  // namespace edgemoe::jinja
