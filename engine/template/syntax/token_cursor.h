// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "engine/template/syntax/lexer.h"

namespace edgemoe::jinja {

constexpr std::uint32_t kNestingMax = 48;  // brackets in brackets, tags in tags

// Where a parser stands in a template's tokens, of which the last is kEnd. Does not own them.
class TokenCursor {
 public:
  explicit TokenCursor(std::span<const Token> tokens) : tokens_(tokens) {}

  const Token& Peek(std::size_t ahead = 0) const;
  const Token& Take();  // stays on the last one
  bool IsOperator(std::string_view text, std::size_t ahead = 0) const;
  bool IsName(std::string_view text, std::size_t ahead = 0) const;
  // Where the cursor stands, for Mentions().
  std::size_t offset() const { return at_; }
  // Whether a variable called `name` stands between `from` and here.
  bool Mentions(std::string_view name, std::size_t from) const;
  bool TakeOperator(std::string_view text);
  bool TakeName(std::string_view text);

  // These say what was wanted, and what is found instead.
  Status Unexpected(std::string_view wanted) const;
  Status ExpectOperator(std::string_view text);
  Status ExpectBlockEnd();
  Result<std::string> ExpectName(std::string_view what);

  // One level of a parser's recursion, whose stack kNestingMax bounds.
  class Nesting {
   public:
    explicit Nesting(TokenCursor& cursor) : cursor_(cursor) { ++cursor_.depth_; }
    ~Nesting() { --cursor_.depth_; }
    Nesting(const Nesting&) = delete;
    Nesting& operator=(const Nesting&) = delete;
    Status Check() const;

   private:
    TokenCursor& cursor_;
  };

 private:
  std::span<const Token> tokens_;
  std::size_t at_ = 0;
  std::uint32_t depth_ = 0;
};

}  // namespace edgemoe::jinja
