// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

namespace edgemoe {

// Gives each distinct text a number: tokens their ids, other texts the numbers after them. For the
// time in which a merger is made. Thread-compatible.
class SymbolTable {
 public:
  // The texts outlive the table; of equal ones the last counts, as in other readers of these files.
  // An empty text is no symbol.
  explicit SymbolTable(std::span<const std::string_view> tokens);

  std::int32_t Intern(std::string_view text);
  std::optional<std::int32_t> Find(std::string_view text) const;
  std::int32_t token_count() const { return token_count_; }
  const std::unordered_map<std::string_view, std::int32_t>& symbols() const { return symbols_; }

 private:
  std::int32_t token_count_;
  std::int32_t next_;
  std::deque<std::string> owned_;  // texts that are no token; a deque, for the views stay valid
  std::unordered_map<std::string_view, std::int32_t> symbols_;
};

}  // namespace edgemoe
