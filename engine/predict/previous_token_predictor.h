// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/predict/predictor.h"
#include "engine/predict/predictor_shape.h"

namespace edgemoe {

// A layer will choose what it chose for the session's token before: the baseline that a predictor
// has to beat.
class PreviousTokenPredictor final : public Predictor {
 public:
  explicit PreviousTokenPredictor(const PredictorShape& shape);

  void Observe(ExpertLayerIndex layer, const RoutedRow& row) override;
  std::size_t Guess(ExpertLayerIndex next, const RoutedRow& row,
                    std::span<ExpertChoice> guesses) const override;

 private:
  struct Last {
    RequestId request{};  // 0: none
    std::uint32_t size = 0;
  };
  std::size_t IndexOf(ExpertLayerIndex layer, SessionSlot session) const;

  PredictorShape shape_;
  std::vector<Last> last_;             // [sessions_max, layer_count]
  std::vector<ExpertChoice> choices_;  // [sessions_max, layer_count, experts_used]
};

}  // namespace edgemoe
