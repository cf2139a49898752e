// SPDX-License-Identifier: Apache-2.0
#include "engine/predict/previous_token_predictor.h"

#include <algorithm>

#include "engine/base/check.h"

namespace edgemoe {

PreviousTokenPredictor::PreviousTokenPredictor(const PredictorShape& shape)
    : shape_(shape),
      last_(std::size_t{shape.sessions_max} * shape.layer_count),
      choices_(last_.size() * shape.experts_used) {}

void PreviousTokenPredictor::Observe(ExpertLayerIndex layer, const RoutedRow& row) {
  const std::size_t index = IndexOf(layer, row.session);
  Last& last = last_[index];
  last.request = row.request;
  last.size = std::min(static_cast<std::uint32_t>(row.choices.size()), shape_.experts_used);
  std::copy_n(row.choices.begin(), last.size,
              choices_.begin() + static_cast<std::ptrdiff_t>(index * shape_.experts_used));
}

std::size_t PreviousTokenPredictor::Guess(ExpertLayerIndex next, const RoutedRow& row,
                                          std::span<ExpertChoice> guesses) const {
  const std::size_t index = IndexOf(next, row.session);
  const Last& last = last_[index];
  if (last.request != row.request) return 0;
  const std::size_t count = std::min<std::size_t>(guesses.size(), last.size);
  std::copy_n(choices_.begin() + static_cast<std::ptrdiff_t>(index * shape_.experts_used), count,
              guesses.begin());
  return count;
}

std::size_t PreviousTokenPredictor::IndexOf(ExpertLayerIndex layer, SessionSlot session) const {
  EDGEMOE_CHECK(layer.value < shape_.layer_count && session.value < shape_.sessions_max,
                "no such layer or session");
  return std::size_t{session.value} * shape_.layer_count + layer.value;
}

}  // namespace edgemoe
