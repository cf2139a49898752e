// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "engine/base/expert_key.h"
#include "engine/base/routing.h"

namespace edgemoe {

// What the policies of a cache know of the model.
struct PolicyShape {
  std::uint32_t layer_count = 0;
  std::uint32_t experts_per_layer = 0;
  std::uint32_t sessions_max = 1;
};

// The router named an expert for one row, whether it is resident or not.
struct ExpertUse {
  ExpertKey key;
  float weight = 0;  // of the row's choices they sum to 1
  RoutingPhase phase = RoutingPhase::kDecode;
  SessionSlot session;
  RequestId request;  // another one than before in this slot: the former session is over
};

// Decides which resident expert gives way. One object for each size class: it is told of
// residents of its own class only, and of uses of every expert. Confined to the engine's thread; no
// allocation after construction. Cost: O(1) a call, but for OnStep and Victim, which may scan the
// table of experts.
//
// An expert is inserted, then pinned and unpinned any number of times, then erased. Pins do not
// nest: the cache tells of the first and the last.
class EvictionPolicy {
 public:
  virtual ~EvictionPolicy() = default;

  // The clock: a batch begins. Then for each layer that it passes: the layer, and its rows' uses,
  // before any of the layer's experts is pinned or loaded.
  virtual void OnStep() = 0;
  virtual void OnLayer(LayerIndex layer) = 0;
  virtual void OnUse(const ExpertUse& use) = 0;

  virtual void OnInsert(ExpertKey key) = 0;  // became resident; pinned
  virtual void OnPin(ExpertKey key) = 0;     // no candidate until OnUnpin
  virtual void OnUnpin(ExpertKey key) = 0;
  virtual void OnErase(ExpertKey key) = 0;  // no longer resident; was not pinned

  // The expert to evict, resident and not pinned; none when there is no such. Changes nothing.
  virtual std::optional<ExpertKey> Victim() const = 0;

  // Appends the experts of this class that the policy would keep, resident or not, best first, at
  // most `count`: what a later run may read back at its start. May allocate.
  virtual void AppendBest(std::size_t count, std::vector<ExpertKey>& keys) const = 0;
};

using EvictionPolicyFactory =
    std::function<std::unique_ptr<EvictionPolicy>(const PolicyShape& shape)>;

}  // namespace edgemoe
