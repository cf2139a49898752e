// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "engine/cache/evictable_set.h"
#include "engine/cache/eviction_policy.h"
#include "engine/trace/routing_trace.h"

namespace edgemoe {

// The upper bound: it knows the trace, and evicts the expert whose next use is farthest away. Must
// be told of each batch of the trace once, in order. Victim scans all experts.
class BeladyPolicy final : public EvictionPolicy {
 public:
  BeladyPolicy(const RoutingTrace& trace, const PolicyShape& shape);

  void OnLayer(ExpertLayerIndex) override { ++batch_; }
  void OnUse(const ExpertUse& use) override;
  void OnInsert(ExpertKey key) override { residents_.Insert(key); }
  void OnPin(ExpertKey key) override { residents_.Pin(key); }
  void OnUnpin(ExpertKey key) override { residents_.Unpin(key); }
  void OnErase(ExpertKey key) override { residents_.Erase(key); }
  std::optional<ExpertKey> Victim() const override;
  void AppendBest(std::size_t count, std::vector<ExpertKey>& keys) const override;

 private:
  std::int64_t NextUse(std::size_t index) const;

  EvictableSet residents_;
  std::vector<std::size_t> uses_begin_;  // [experts + 1]; into uses_
  std::vector<std::size_t> next_;        // [experts]; into uses_, not yet come
  std::vector<std::int64_t> uses_;       // batches, from 1, ascending for each expert
  std::int64_t batch_ = 0;               // the one that runs
};

}  // namespace edgemoe
