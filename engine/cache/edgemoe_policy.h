// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "engine/cache/evictable_set.h"
#include "engine/cache/eviction_policy.h"

namespace edgemoe {

// Which distance divides an expert's frequency.
enum class EdgemoeFormula : std::uint8_t {
  kCorrected,  // as the paper's prose has it: layers until its layer runs, 1 to S
  kPrinted,    // as its formula has it, (S - i + I) mod S: what ran just now is kept. For replay
};

// The rule of EdgeMoE (arXiv 2308.14352, section on the expert buffer): evicts the expert with the
// lowest frequency / distance, so rare ones and those whose layer is far. Frequencies are counts
// of batches since the start, which stop at their greatest value. Of equals the first goes. Victim
// scans all experts.
class EdgemoePolicy final : public EvictionPolicy {
 public:
  EdgemoePolicy(const PolicyShape& shape, EdgemoeFormula formula);
  static std::unique_ptr<EvictionPolicy> Make(const PolicyShape& shape);

  void OnLayer(ExpertLayerIndex layer) override;
  void OnUse(const ExpertUse& use) override;
  void OnInsert(ExpertKey key) override { residents_.Insert(key); }
  void OnPin(ExpertKey key) override { residents_.Pin(key); }
  void OnUnpin(ExpertKey key) override { residents_.Unpin(key); }
  void OnErase(ExpertKey key) override { residents_.Erase(key); }
  std::optional<ExpertKey> Victim() const override;
  void AppendBest(std::size_t count, std::vector<ExpertKey>& keys) const override;

 private:
  EdgemoeFormula formula_;
  std::uint32_t layer_count_;
  std::uint32_t experts_per_layer_;
  EvictableSet residents_;
  std::vector<std::uint32_t> counts_;  // [layer_count, experts_per_layer]
  std::vector<bool> counted_;          // [experts_per_layer]; in this batch
  std::vector<double> nearness_;       // [layer_count]; 1 / distance
};

}  // namespace edgemoe
