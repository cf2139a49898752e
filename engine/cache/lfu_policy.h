// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "engine/cache/evictable_set.h"
#include "engine/cache/eviction_policy.h"

namespace edgemoe {

// Evicts what was used least often since the start, by whatever session; of equals what was used
// longest ago. A batch counts once, however many of its tokens chose the expert; counts stop at
// their greatest value. Victim scans all experts.
class LfuPolicy final : public EvictionPolicy {
 public:
  explicit LfuPolicy(const PolicyShape& shape) : residents_(shape), uses_(residents_.size()) {}
  static std::unique_ptr<EvictionPolicy> Make(const PolicyShape& shape);

  void OnLayer(ExpertLayerIndex) override { ++pass_; }
  void OnUse(const ExpertUse& use) override;
  void OnInsert(ExpertKey key) override { residents_.Insert(key); }
  void OnPin(ExpertKey key) override { residents_.Pin(key); }
  void OnUnpin(ExpertKey key) override { residents_.Unpin(key); }
  void OnErase(ExpertKey key) override { residents_.Erase(key); }
  std::optional<ExpertKey> Victim() const override;
  void AppendBest(std::size_t count, std::vector<ExpertKey>& keys) const override;

 private:
  struct Uses {
    std::uint32_t count = 0;
    std::uint64_t last = 0;  // pass; 0: never
    friend constexpr auto operator<=>(const Uses&, const Uses&) = default;
  };

  EvictableSet residents_;
  std::vector<Uses> uses_;  // [layer_count, experts_per_layer]
  std::uint64_t pass_ = 0;  // layers that ran
};

}  // namespace edgemoe
