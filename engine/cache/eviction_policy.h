// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
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
  RoutingPhase phase = RoutingPhase::kDecode;
  SessionSlot session;
  RequestId request;  // when it differs from the last one in this slot, that session is over
};

// Decides which resident expert gives way. One object for each size class: it hears of residents of
// its own class only, and of uses of every expert. Confined to the engine's thread; no allocation
// after construction. Cost: O(1) a call, but for OnLayer and Victim, which may scan the table of
// experts.
//
// An expert is inserted, then pinned and unpinned any number of times, then erased. Pins do not
// nest: the cache tells of the first and the last.
class EvictionPolicy {
 public:
  virtual ~EvictionPolicy() = default;

  // For each layer that a batch passes: OnLayer, then OnUse for each use by its rows, before any of
  // the layer's experts is pinned or loaded. See TellRouting.
  virtual void OnLayer(ExpertLayerIndex layer) = 0;
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

// Tells a policy what the rows of a layer chose: OnLayer, then OnUse for each choice.
inline void TellRouting(EvictionPolicy& policy, ExpertLayerIndex layer,
                        std::span<const RoutedRow> rows) {
  policy.OnLayer(layer);
  for (const RoutedRow& row : rows) {
    for (const ExpertChoice& choice : row.choices) {
      policy.OnUse({.key = {layer, ExpertIndex{choice.expert}},
                    .phase = row.phase,
                    .session = row.session,
                    .request = row.request});
    }
  }
}

using EvictionPolicyFactory =
    std::function<std::unique_ptr<EvictionPolicy>(const PolicyShape& shape)>;

}  // namespace edgemoe
