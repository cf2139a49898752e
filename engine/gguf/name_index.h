// SPDX-License-Identifier: Apache-2.0
//
// Look-up by name in a vector that keeps its own order: a second vector holds the indices, sorted
// by name. Private to engine/gguf.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <string_view>
#include <vector>

#include "engine/gguf/gguf_reader.h"

namespace edgemoe {

inline std::string_view NameOf(const GgufEntry& entry) { return entry.key; }
inline std::string_view NameOf(const GgufTensor& tensor) { return tensor.name; }

template <class T>
std::vector<std::uint32_t> SortByName(const std::vector<T>& items) {
  std::vector<std::uint32_t> index(items.size());
  std::iota(index.begin(), index.end(), 0u);
  std::sort(index.begin(), index.end(), [&](std::uint32_t a, std::uint32_t b) {
    return NameOf(items[a]) != NameOf(items[b]) ? NameOf(items[a]) < NameOf(items[b]) : a < b;
  });
  return index;
}

// The first position of `index` whose name is not below `name`.
template <class T>
std::vector<std::uint32_t>::const_iterator LowerBoundByName(const std::vector<std::uint32_t>& index,
                                                            const std::vector<T>& items,
                                                            std::string_view name) {
  return std::lower_bound(
      index.begin(), index.end(), name,
      [&](std::uint32_t i, std::string_view wanted) { return NameOf(items[i]) < wanted; });
}

template <class T>
const T* FindByName(const std::vector<std::uint32_t>& index, const std::vector<T>& items,
                    std::string_view name) {
  const auto found = LowerBoundByName(index, items, name);
  return found != index.end() && NameOf(items[*found]) == name ? &items[*found] : nullptr;
}

// An item with the name of an earlier one; null when all names differ.
template <class T>
const T* FindDuplicate(const std::vector<std::uint32_t>& index, const std::vector<T>& items) {
  for (std::size_t i = 1; i < index.size(); ++i)
    if (NameOf(items[index[i - 1]]) == NameOf(items[index[i]])) return &items[index[i]];
  return nullptr;
}

}  // namespace edgemoe
