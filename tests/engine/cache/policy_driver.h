// SPDX-License-Identifier: Apache-2.0
//
// A cache's life in miniature: steps, layers, uses, pins, loads and evictions in an order that a
// cache may produce, drawn from a seed. It knows which experts are where.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <vector>

#include "engine/base/random.h"
#include "engine/cache/eviction_policy.h"

namespace edgemoe {

class PolicyDriver {
 public:
  enum class Place : std::uint8_t { kForeign, kAbsent, kPinned, kEvictable };

  PolicyDriver(EvictionPolicy& policy, const PolicyShape& shape, std::uint64_t seed)
      : policy_(policy),
        shape_(shape),
        random_(seed),
        places_(std::size_t{shape.layer_count} * shape.experts_per_layer),
        requests_(shape.sessions_max) {}

  // Told of layers and uses before the policy is.
  std::function<void(ExpertLayerIndex)> on_layer = [](ExpertLayerIndex) {};
  std::function<void(const ExpertUse&)> on_use = [](const ExpertUse&) {};
  // Called when the policy was told of something.
  std::function<void()> check = [] {};

  ExpertKey KeyOf(std::size_t index) const {
    return {ExpertLayerIndex{static_cast<std::uint32_t>(index / shape_.experts_per_layer)},
            ExpertIndex{static_cast<std::uint32_t>(index % shape_.experts_per_layer)}};
  }
  std::size_t IndexOf(ExpertKey key) const {
    return std::size_t{key.layer.value} * shape_.experts_per_layer + key.expert.value;
  }
  Place place(ExpertKey key) const { return places_[IndexOf(key)]; }
  std::vector<ExpertKey> KeysAt(Place place) const {
    std::vector<ExpertKey> keys;
    for (std::size_t i = 0; i < places_.size(); ++i)
      if (places_[i] == place) keys.push_back(KeyOf(i));
    return keys;
  }

  void RunStep() {
    for (std::uint32_t layer = 0; layer < shape_.layer_count; ++layer) {
      RunLayer(ExpertLayerIndex{layer});
      MoveSome();
    }
  }

 private:
  void RunLayer(ExpertLayerIndex layer) {
    on_layer(layer);
    policy_.OnLayer(layer);
    check();
    for (std::uint32_t slot = 0; slot < shape_.sessions_max; ++slot) {
      if (random_.NextBelow(3) == 0) continue;  // takes no part
      if (requests_[slot] == 0 || random_.NextBelow(100) == 0) requests_[slot] = ++request_count_;
      const bool prompt = random_.NextBelow(5) == 0;
      for (std::uint64_t uses = 1 + random_.NextBelow(3); uses > 0; --uses) {
        // Low numbers more often, so that rates differ.
        const auto expert = static_cast<std::uint32_t>(
            random_.NextBelow(1 + random_.NextBelow(shape_.experts_per_layer)));
        const ExpertUse use{.key = {layer, ExpertIndex{expert}},
                            .phase = prompt ? RoutingPhase::kPrefill : RoutingPhase::kDecode,
                            .session = SessionSlot{slot},
                            .request = RequestId{requests_[slot]}};
        on_use(use);
        policy_.OnUse(use);
        check();
      }
    }
  }

  // Any expert moves on by any step that a cache may take.
  void MoveSome() {
    for (std::uint64_t moves = random_.NextBelow(6); moves > 0; --moves) {
      const std::size_t index = random_.NextBelow(places_.size());
      const ExpertKey key = KeyOf(index);
      Place& place = places_[index];
      switch (place) {
        case Place::kForeign:
        case Place::kAbsent:
          policy_.OnInsert(key);
          place = Place::kPinned;
          break;
        case Place::kPinned:
          policy_.OnUnpin(key);
          place = Place::kEvictable;
          break;
        case Place::kEvictable:
          if (random_.NextBelow(2) == 0) {
            policy_.OnPin(key);
            place = Place::kPinned;
          } else {
            policy_.OnErase(key);
            place = Place::kAbsent;
          }
          break;
      }
      check();
    }
  }

  EvictionPolicy& policy_;
  PolicyShape shape_;
  Random random_;
  std::vector<Place> places_;  // [layer_count, experts_per_layer]
  std::vector<std::uint64_t> requests_;
  std::uint64_t request_count_ = 0;
};

}  // namespace edgemoe
