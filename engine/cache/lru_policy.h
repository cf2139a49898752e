// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "engine/cache/eviction_policy.h"

namespace edgemoe {

// Evicts what was let go longest ago. The evictable experts form one list, from least to most
// recently unpinned; pinned ones are in no list. O(1).
class LruPolicy final : public EvictionPolicy {
 public:
  explicit LruPolicy(const PolicyShape& shape);
  static std::unique_ptr<EvictionPolicy> Make(const PolicyShape& shape);

  void OnLayer(ExpertLayerIndex) override {}
  void OnUse(const ExpertUse&) override {}  // the unpin after it makes the expert the most recent

  void OnInsert(ExpertKey key) override;
  void OnPin(ExpertKey key) override;
  void OnUnpin(ExpertKey key) override;
  void OnErase(ExpertKey key) override;
  std::optional<ExpertKey> Victim() const override;
  void AppendBest(std::size_t count, std::vector<ExpertKey>& keys) const override;

 private:
  struct Link {
    std::uint32_t previous;  // towards the least recent
    std::uint32_t next;
  };

  std::uint32_t IndexOf(ExpertKey key) const;
  ExpertKey KeyOf(std::uint32_t index) const;
  bool Linked(std::uint32_t index) const { return links_[index].next != index; }
  void Unlink(std::uint32_t index);

  std::uint32_t experts_per_layer_;
  std::uint32_t sentinel_;   // its next is the least recent, its previous the most recent
  std::vector<Link> links_;  // [layer_count * experts_per_layer + 1]; to itself: not in the list
};

}  // namespace edgemoe
