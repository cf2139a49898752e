// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "engine/cache/evictable_set.h"
#include "engine/cache/eviction_policy.h"
#include "engine/cache/use_rates.h"

namespace edgemoe {

// Frequency and recency in one figure: evicts the expert with the lowest rate of use (see
// UseRates), which counts less the farther away its layer's next turn is: rate * (1 - 0.3 *
// distance / S), with S layers and distance 1 to S. Of equals the first goes. The default, as it
// loses least on recorded traces. Victim searches only the layers in which something has changed
// since the last time: those that ran, or in which residents came, went or were pinned.
class LfruPolicy final : public EvictionPolicy {
 public:
  explicit LfruPolicy(const PolicyShape& shape);
  static std::unique_ptr<EvictionPolicy> Make(const PolicyShape& shape);

  void OnLayer(ExpertLayerIndex layer) override;
  void OnUse(const ExpertUse& use) override { rates_.OnUse(use); }
  void OnInsert(ExpertKey key) override;
  void OnPin(ExpertKey key) override;
  void OnUnpin(ExpertKey key) override;
  void OnErase(ExpertKey key) override;
  std::optional<ExpertKey> Victim() const override;
  void AppendBest(std::size_t count, std::vector<ExpertKey>& keys) const override;

 private:
  // The evictable expert of the least rate in a layer, as far as it is known.
  struct Least {
    bool known = false;
    std::uint64_t version = 0;  // of the layer's rates
    std::uint32_t rate = 0;     // kNone: there is no evictable one
    std::size_t index = 0;
  };
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  void Search(std::uint32_t layer, Least& least) const;

  std::uint32_t layer_count_;
  std::uint32_t experts_per_layer_;
  EvictableSet residents_;
  std::vector<double> nearness_;      // [layer_count]
  mutable std::vector<Least> least_;  // [layer_count]; Victim's memory of its own searches
  UseRates rates_;
};

}  // namespace edgemoe
