// SPDX-License-Identifier: Apache-2.0
//
// Ids that cannot be mixed up. An Id is a plain value: compare, hash, and reach the number through
// `.value`.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace edgemoe {

template <class Tag, class Rep>
struct Id {
  using rep = Rep;
  Rep value{};
  friend constexpr auto operator<=>(const Id&, const Id&) = default;
};

using TokenId = Id<struct TokenTag, std::int32_t>;      // index into the vocabulary
using LayerIndex = Id<struct LayerTag, std::uint32_t>;  // transformer block, from 0
// Among the layers that have experts, from 0: what streams, caches, predictors, traces and packs
// count. Equal to the layer's index where every layer has experts.
using ExpertLayerIndex = Id<struct ExpertLayerTag, std::uint32_t>;
using ExpertIndex = Id<struct ExpertTag, std::uint32_t>;  // expert within its layer, from 0
using RequestId = Id<struct RequestTag, std::uint64_t>;   // one request to the engine, from 1

}  // namespace edgemoe

template <class Tag, class Rep>
struct std::hash<edgemoe::Id<Tag, Rep>> {
  std::size_t operator()(const edgemoe::Id<Tag, Rep>& id) const {
    return std::hash<Rep>{}(id.value);
  }
};
