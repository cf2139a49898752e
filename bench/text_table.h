// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace edgemoe::bench {

// Columns of text for people: as wide as what is in them; those in which every cell is a number, a
// sign or "-" are aligned to the right.
class TextTable {
 public:
  explicit TextTable(std::vector<std::string> header) : rows_{std::move(header)} {}

  // REQUIRES: as many cells as the header has.
  void Add(std::vector<std::string> cells);

  std::string Text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

// As by printf's %.*f.
std::string Fixed(double value, int digits);

}  // namespace edgemoe::bench
