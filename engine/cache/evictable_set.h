// SPDX-License-Identifier: Apache-2.0
//
// What a policy knows of its residents, and the search for the least worthy of them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "engine/base/check.h"
#include "engine/cache/eviction_policy.h"

namespace edgemoe {

// Absent, pinned or evictable, for each expert of the model; and whether an expert was ever
// resident, for only then is it known to be of the policy's class. A wrong order of calls is a bug.
class EvictableSet {
 public:
  explicit EvictableSet(const PolicyShape& shape)
      : experts_per_layer_(shape.experts_per_layer),
        places_(std::size_t{shape.layer_count} * shape.experts_per_layer) {}

  void Insert(ExpertKey key) {
    Place& place = places_[IndexOf(key)];
    EDGEMOE_CHECK(place == Place::kForeign || place == Place::kAbsent, "inserted twice");
    place = Place::kPinned;
  }
  void Pin(ExpertKey key) { Move(key, Place::kEvictable, Place::kPinned); }
  void Unpin(ExpertKey key) { Move(key, Place::kPinned, Place::kEvictable); }
  void Erase(ExpertKey key) { Move(key, Place::kEvictable, Place::kAbsent); }

  std::size_t size() const { return places_.size(); }
  std::size_t IndexOf(ExpertKey key) const {
    return std::size_t{key.layer.value} * experts_per_layer_ + key.expert.value;
  }
  ExpertKey KeyOf(std::size_t index) const {
    return {ExpertLayerIndex{static_cast<std::uint32_t>(index / experts_per_layer_)},
            ExpertIndex{static_cast<std::uint32_t>(index % experts_per_layer_)}};
  }
  bool evictable(std::size_t index) const { return places_[index] == Place::kEvictable; }

  // The evictable expert of least worth(index); of equals the first.
  template <class Worth>
  std::optional<ExpertKey> Least(Worth worth) const {
    std::optional<std::size_t> least;
    decltype(worth(std::size_t{0})) least_worth{};
    for (std::size_t index = 0; index < places_.size(); ++index) {
      if (!evictable(index)) continue;
      const auto candidate = worth(index);
      if (least && !(candidate < least_worth)) continue;
      least = index;
      least_worth = candidate;
    }
    if (!least) return std::nullopt;
    return KeyOf(*least);
  }

  // Appends at most `count` experts that were ever resident, of greatest worth(index) first, of
  // equals the first. Allocates.
  template <class Worth>
  void AppendGreatest(std::size_t count, Worth worth, std::vector<ExpertKey>& keys) const {
    std::vector<std::pair<decltype(worth(std::size_t{0})), std::size_t>> members;
    for (std::size_t index = 0; index < places_.size(); ++index)
      if (places_[index] != Place::kForeign) members.emplace_back(worth(index), index);
    std::sort(members.begin(), members.end(), [](const auto& a, const auto& b) {
      return b.first < a.first || (!(a.first < b.first) && a.second < b.second);
    });
    for (std::size_t i = 0; i < std::min(count, members.size()); ++i)
      keys.push_back(KeyOf(members[i].second));
  }

 private:
  enum class Place : std::uint8_t { kForeign, kAbsent, kPinned, kEvictable };

  void Move(ExpertKey key, Place from, Place to) {
    Place& place = places_[IndexOf(key)];
    EDGEMOE_CHECK(place == from, "pinned, unpinned or erased out of order");
    place = to;
  }

  std::uint32_t experts_per_layer_;
  std::vector<Place> places_;  // [layer_count, experts_per_layer]
};

// Layers until layer `to` runs when layer `at` runs now: its next turn comes in the next token when
// it is now, so 1 to `layer_count`.
constexpr std::uint32_t LayerDistance(std::uint32_t at, std::uint32_t to,
                                      std::uint32_t layer_count) {
  return to > at ? to - at : to + layer_count - at;
}

}  // namespace edgemoe
