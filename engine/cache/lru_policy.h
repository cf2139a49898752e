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
  LruPolicy(std::uint32_t layer_count, std::uint32_t experts_per_layer);
  static std::unique_ptr<EvictionPolicy> Make(std::uint32_t layer_count,
                                              std::uint32_t experts_per_layer);

  void OnInsert(ExpertKey key) override;
  void OnUse(ExpertKey key) override;
  void OnPin(ExpertKey key) override;
  void OnUnpin(ExpertKey key) override;
  void OnErase(ExpertKey key) override;
  std::optional<ExpertKey> Victim() const override;

 private:
  struct Link {
    std::uint32_t previous;  // towards the least recent
    std::uint32_t next;
  };

  std::uint32_t IndexOf(ExpertKey key) const;
  bool Linked(std::uint32_t index) const { return links_[index].next != index; }
  void Unlink(std::uint32_t index);

  std::uint32_t experts_per_layer_;
  std::uint32_t sentinel_;   // its next is the least recent, its previous the most recent
  std::vector<Link> links_;  // [layer_count * experts_per_layer + 1]; to itself: not in the list
};

}  // namespace edgemoe
