// SPDX-License-Identifier: Apache-2.0
#include "client/cli/terminal/nearest_word.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <utility>

namespace edgemoe::cli {
namespace {

// How many letters must be put in, left out or exchanged to make one word of the other.
std::size_t EditDistance(std::string_view from, std::string_view to) {
  std::vector<std::size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < from.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < to.size(); ++j) {
      const std::size_t exchanged = diagonal + (from[i] == to[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({exchanged, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string NearestWord(std::string_view word, const std::vector<std::string>& names) {
  constexpr std::size_t kDistanceMax = 2;
  const auto distance = [word](const std::string& name) { return EditDistance(word, name); };
  const auto nearest = std::ranges::min_element(names, {}, distance);
  return nearest != names.end() && distance(*nearest) <= kDistanceMax ? *nearest : "";
}

}  // namespace edgemoe::cli
