// SPDX-License-Identifier: Apache-2.0
#include "engine/template/syntax/token_cursor.h"

#include <algorithm>

namespace edgemoe::jinja {

namespace {

std::string Describe(const Token& token) {
  if (token.kind == Token::Kind::kEnd) return "the end of the template";
  if (token.kind == Token::Kind::kText) return "text";
  return "\"" + token.text.substr(0, 40) + "\"";
}

}  // namespace

const Token& TokenCursor::Peek(std::size_t ahead) const {
  return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
}

const Token& TokenCursor::Take() {
  const Token& token = Peek();
  if (at_ + 1 < tokens_.size()) ++at_;
  return token;
}

bool TokenCursor::IsOperator(std::string_view text, std::size_t ahead) const {
  return Peek(ahead).kind == Token::Kind::kOperator && Peek(ahead).text == text;
}

bool TokenCursor::IsName(std::string_view text, std::size_t ahead) const {
  return Peek(ahead).kind == Token::Kind::kName && Peek(ahead).text == text;
}

bool TokenCursor::Mentions(std::string_view name, std::size_t from) const {
  for (std::size_t i = from; i < at_; ++i) {
    const bool is_part = i > 0 && tokens_[i - 1].kind == Token::Kind::kOperator &&
                         (tokens_[i - 1].text == "." || tokens_[i - 1].text == "|");
    if (tokens_[i].kind == Token::Kind::kName && tokens_[i].text == name && !is_part) return true;
  }
  return false;
}

bool TokenCursor::TakeOperator(std::string_view text) {
  const bool found = IsOperator(text);
  if (found) Take();
  return found;
}

bool TokenCursor::TakeName(std::string_view text) {
  const bool found = IsName(text);
  if (found) Take();
  return found;
}

Status TokenCursor::Unexpected(std::string_view wanted) const {
  return ErrorAt(Peek().position,
                 "expected " + std::string(wanted) + ", found " + Describe(Peek()));
}

Status TokenCursor::ExpectOperator(std::string_view text) {
  if (TakeOperator(text)) return OkStatus();
  return Unexpected("\"" + std::string(text) + "\"");
}

Status TokenCursor::ExpectBlockEnd() {
  if (Peek().kind != Token::Kind::kBlockEnd) return Unexpected("\"%}\"");
  Take();
  return OkStatus();
}

Result<std::string> TokenCursor::ExpectName(std::string_view what) {
  if (Peek().kind != Token::Kind::kName) return Failure(Unexpected(what));
  return Take().text;
}

Status TokenCursor::Nesting::Check() const {
  if (cursor_.depth_ <= kNestingMax) return OkStatus();
  return ErrorAt(cursor_.Peek().position,
                 "nested more than " + std::to_string(kNestingMax) + " levels deep");
}

}  // namespace edgemoe::jinja
