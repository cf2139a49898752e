// SPDX-License-Identifier: Apache-2.0
//
// Which of a repository's models suits this machine: the rule of ModelsService.PlanRepository, in
// proto/edgemoe/v1/models.proto. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace edgemoe {

// What is known of a model when the choice is made.
struct ModelChoice {
  std::uint64_t bytes = 0;  // of its files
  double bits_per_weight = 0;
  bool can_be_used = false;
  bool fits_storage = false;
  std::uint64_t budget_floor_bytes = 0;  // least memory budget that works
  bool fits_budget = false;
  double expert_share = 0;                    // in memory, [0, 1]
  std::optional<double> tokens_per_second{};  // expected
};

struct Recommendation {
  std::optional<std::size_t> index{};  // into the choices; nothing: none of them
  std::string reason{};                // one sentence
};

// More than this a person does not wait for.
constexpr double kFastEnoughTokensPerSecond = 5;
// In place of that speed, where none is known.
constexpr double kFastEnoughExpertShare = 0.5;
// Those of Q8_0: what is beyond shows in no answer.
constexpr double kBitsEnough = 8.5;

Recommendation Recommend(std::span<const ModelChoice> choices);

}  // namespace edgemoe
