// SPDX-License-Identifier: Apache-2.0
#include "engine/tokenizer/models/symbol_table.h"

namespace edgemoe {

SymbolTable::SymbolTable(std::span<const std::string_view> tokens)
    : token_count_(static_cast<std::int32_t>(tokens.size())), next_(token_count_) {
  symbols_.reserve(tokens.size() + 256);
  for (std::size_t id = 0; id < tokens.size(); ++id) {
    if (!tokens[id].empty()) symbols_[tokens[id]] = static_cast<std::int32_t>(id);
  }
}

std::int32_t SymbolTable::Intern(std::string_view text) {
  if (const auto found = symbols_.find(text); found != symbols_.end()) return found->second;
  symbols_.emplace(owned_.emplace_back(text), next_);
  return next_++;
}

std::optional<std::int32_t> SymbolTable::Find(std::string_view text) const {
  const auto found = symbols_.find(text);
  if (found == symbols_.end()) return std::nullopt;
  return found->second;
}

}  // namespace edgemoe
