// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "engine/cache/expert_key.h"

namespace edgemoe {

// Decides which resident expert gives way. One object for each size class: it hears only of its
// class's experts. Confined to the engine's thread; no allocation after construction; each call
// O(1), or O(log experts).
//
// An expert is inserted, then used, pinned and unpinned any number of times, then erased. Pins do
// not nest: the cache tells of the first and the last.
class EvictionPolicy {
 public:
  virtual ~EvictionPolicy() = default;

  virtual void OnInsert(ExpertKey key) = 0;  // became resident; pinned
  virtual void OnUse(ExpertKey key) = 0;     // the router named it; resident
  virtual void OnPin(ExpertKey key) = 0;     // no candidate until OnUnpin
  virtual void OnUnpin(ExpertKey key) = 0;
  virtual void OnErase(ExpertKey key) = 0;  // no longer resident; was not pinned

  // The expert to evict, resident and not pinned; none when there is no such. Changes nothing.
  virtual std::optional<ExpertKey> Victim() const = 0;
};

using EvictionPolicyFactory = std::function<std::unique_ptr<EvictionPolicy>(
    std::uint32_t layer_count, std::uint32_t experts_per_layer)>;

}  // namespace edgemoe
