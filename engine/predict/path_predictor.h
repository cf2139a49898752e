// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/predict/path_counts.h"
#include "engine/predict/predictor.h"
#include "engine/predict/predictor_shape.h"

namespace edgemoe {

// EdgeMoE's predictor (arXiv 2308.14352) for routers that choose many experts: the experts of the
// two previous layers of the same token tell those of the next one. The paper's key, all of them
// together, hardly ever repeats with 6 of 128; so each is a witness of its own, and an expert's
// weight is the geometric mean of how often it followed each. The first layers of a token follow
// the last ones of the token before.
//
// Learns from every row that it observes, of prompts too: a chunk of up to kPromptRows at once. A
// token whose earlier layers were not observed teaches and guesses nothing. Cost of Observe and
// Guess: 2 * experts_used rows of bytes.
class PathPredictor final : public Predictor {
 public:
  static constexpr std::uint32_t kPromptRows = 512;

  explicit PathPredictor(const PredictorShape& shape);

  void Observe(ExpertLayerIndex layer, const RoutedRow& row) override;
  std::size_t Guess(ExpertLayerIndex next, const RoutedRow& row,
                    std::span<ExpertChoice> guesses) const override;

  // What was learnt, for a later run: see PathCounts.
  const PathCounts& counts() const { return counts_; }
  Status Restore(std::span<const std::byte> bytes) { return counts_.Restore(bytes); }

 private:
  // The layers that a token has passed last.
  struct Trail {
    RequestId request{};  // 0: none
    std::uint32_t position = 0;
    ExpertLayerIndex layer{};                                  // the last one
    std::array<std::uint32_t, PathCounts::kStepsBack> size{};  // experts of that, and before it
  };

  std::size_t TrailIndex(RoutingPhase phase, SessionSlot session, std::uint32_t position) const;
  std::size_t TrailBefore(ExpertLayerIndex layer, const RoutedRow& row);
  std::span<const std::uint32_t> Experts(std::size_t trail, std::uint32_t back) const;
  void Extend(std::size_t trail, ExpertLayerIndex layer, const RoutedRow& row);

  PredictorShape shape_;
  PathCounts counts_;
  std::vector<Trail> trails_;  // [sessions_max + kPromptRows]: decoded rows, then a prompt's
  std::vector<std::uint32_t> trail_experts_;  // [trails, kStepsBack, experts_used]
  std::array<float, 257> logs_{};             // of a count, with some for what was never seen
  mutable std::vector<ExpertChoice> scores_;  // [experts_per_layer]; Guess's own
};

}  // namespace edgemoe
