// SPDX-License-Identifier: Apache-2.0
#include "engine/pack/type_summary.h"

#include <algorithm>
#include <limits>
#include <map>
#include <string>
#include <utility>

namespace edgemoe {
namespace {

constexpr std::uint32_t kNoLayer = std::numeric_limits<std::uint32_t>::max();  // sorts last

TypeSummary RowOf(std::span<const PackTensor> tensors, std::span<const TensorType> types,
                  const std::vector<std::size_t>& members) {
  TypeSummary row;
  row.role = TensorRoleName(tensors[members.front()].role);
  std::map<std::pair<double, std::string>, std::uint32_t> counts;
  for (const std::size_t i : members) {
    row.weights += tensors[i].weights();
    row.bytes += tensors[i].BytesIn(types[i]);
    ++counts[{BitsPerWeight(types[i]), std::string(TraitsOf(types[i]).name)}];
  }
  row.bits = 8.0 * static_cast<double>(row.bytes) / static_cast<double>(row.weights);
  for (const auto& [type, count] : counts) row.types.push_back({type.second, count});
  return row;
}

}  // namespace

std::vector<TypeSummary> SummarizeTypes(std::span<const PackTensor> tensors,
                                        std::span<const TensorType> types) {
  std::map<std::pair<std::uint32_t, TensorRole>, std::vector<std::size_t>> groups;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const TensorRole role = tensors[i].role;
    if (!IsRequantisable(role)) continue;
    const bool in_layer = role != TensorRole::kEmbedding && role != TensorRole::kOutput;
    groups[{in_layer ? tensors[i].layer.value : kNoLayer, role}].push_back(i);
  }
  std::vector<TypeSummary> rows;
  for (const auto& [place, members] : groups) {
    rows.push_back(RowOf(tensors, types, members));
    if (place.first != kNoLayer) rows.back().layer = place.first;
  }
  return rows;
}

}  // namespace edgemoe
