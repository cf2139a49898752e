// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/base/ids.h"
#include "engine/base/routing.h"
#include "engine/kernels/kernel_table.h"
#include "engine/model/model_config.h"

namespace edgemoe {

// [experts]; null for none.
struct RouterVectors {
  const float* logit_bias = nullptr;      // added to the logits
  const float* selection_bias = nullptr;  // added to what they become, for choosing only
  const float* weight_scale = nullptr;    // the weights of the chosen are multiplied by it, last
};

// What a router makes of a row: `logits` [experts] become the chosen.size() best experts, best
// first, ties to the lower index, with the weights that `config` describes. Overwrites the logits.
// NaN ranks below every number, and shows in the weights when it is chosen. REQUIRES: chosen.size()
// <= logits.size(), and the groups that are used have so many experts.
void ChooseExperts(const ExpertsConfig& config, const KernelTable& kernels,
                   const RouterVectors& vectors, std::span<float> logits,
                   std::span<ExpertChoice> chosen);

// What a layer's rows chose, by expert: for each distinct expert, its uses stand together.
class ExpertUses {
 public:
  ExpertUses(std::uint32_t rows_max, std::uint32_t top_k, std::uint32_t expert_count);

  // [rows_max, top_k]; the router fills the rows, then Group is called.
  std::span<ExpertChoice> ChoicesOf(std::size_t row);
  void Group(std::size_t row_count);

  // Distinct experts, in order of index. Valid until the next Group.
  std::span<const ExpertIndex> experts() const { return experts_; }
  // Uses [begin_of(e), begin_of(e) + rows_of(e).size()), in order of row.
  std::size_t begin_of(ExpertIndex expert) const { return begins_[expert.value]; }
  std::span<const std::uint32_t> rows_of(ExpertIndex expert) const;
  std::span<const float> weights_of(ExpertIndex expert) const;  // of the same uses
  // The use that stands for (row, slot); slots in the order of ChoicesOf.
  std::size_t use_of(std::size_t row, std::size_t slot) const { return uses_[row * top_k_ + slot]; }

 private:
  std::size_t top_k_;
  std::vector<ExpertChoice> choices_;  // [rows_max, top_k]
  std::vector<std::uint32_t> uses_;    // [rows_max, top_k]
  std::vector<std::uint32_t> rows_;    // [uses], the row of each
  std::vector<float> weights_;         // [uses], the router's for each
  std::vector<std::uint32_t> begins_;  // [expert_count + 1]
  std::vector<std::uint32_t> next_;    // [expert_count], scratch
  std::vector<ExpertIndex> experts_;   // capacity expert_count
};

}  // namespace edgemoe
