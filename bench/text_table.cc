// SPDX-License-Identifier: Apache-2.0
#include "bench/text_table.h"

#include <algorithm>
#include <cstdio>
#include <string_view>
#include <utility>

#include "engine/base/check.h"

namespace edgemoe::bench {
namespace {

bool IsNumber(std::string_view cell) {
  return cell.find_first_not_of("0123456789.+-%x") == std::string_view::npos;
}

}  // namespace

void TextTable::Add(std::vector<std::string> cells) {
  EDGEMOE_CHECK(cells.size() == rows_.front().size(), "a row of another table");
  rows_.push_back(std::move(cells));
}

std::string TextTable::Text() const {
  const std::size_t columns = rows_.front().size();
  std::vector<std::size_t> width(columns);
  std::vector<bool> right(columns, true);
  for (std::size_t row = 0; row < rows_.size(); ++row) {
    for (std::size_t column = 0; column < columns; ++column) {
      const std::string& cell = rows_[row][column];
      width[column] = std::max(width[column], cell.size());
      if (row > 0 && !IsNumber(cell)) right[column] = false;
    }
  }
  std::string text;
  for (const std::vector<std::string>& row : rows_) {
    std::string line;
    for (std::size_t column = 0; column < columns; ++column) {
      const std::string padding(width[column] - row[column].size(), ' ');
      if (column > 0) line += "  ";
      line += right[column] ? padding + row[column] : row[column] + padding;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string Fixed(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

}  // namespace edgemoe::bench
