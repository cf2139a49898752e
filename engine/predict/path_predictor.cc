// SPDX-License-Identifier: Apache-2.0
#include "engine/predict/path_predictor.h"

#include <algorithm>
#include <cmath>

#include "engine/base/check.h"

namespace edgemoe {
namespace {

// The count of an expert that never followed a witness. The count of the witness itself is raised
// by twice as much, so that nothing is certain.
constexpr float kUnseen = 0.1F;

}  // namespace

PathPredictor::PathPredictor(const PredictorShape& shape)
    : shape_(shape),
      counts_(shape.layer_count, shape.experts_per_layer),
      trails_(std::size_t{shape.sessions_max} + kPromptRows),
      trail_experts_(trails_.size() * PathCounts::kStepsBack * shape.experts_used),
      scores_(shape.experts_per_layer) {
  for (std::size_t i = 0; i < logs_.size(); ++i)
    logs_[i] = std::log(static_cast<float>(i) + kUnseen);
}

void PathPredictor::Observe(ExpertLayerIndex layer, const RoutedRow& row) {
  const std::size_t trail = TrailBefore(layer, row);
  const auto choices =
      row.choices.first(std::min<std::size_t>(row.choices.size(), shape_.experts_used));
  for (std::uint32_t back = 1; back <= PathCounts::kStepsBack; ++back)
    for (const std::uint32_t earlier : Experts(trail, back))
      counts_.Count(back, layer, earlier, choices);
  Extend(trail, layer, row);
}

std::size_t PathPredictor::Guess(ExpertLayerIndex next, const RoutedRow& row,
                                 std::span<ExpertChoice> guesses) const {
  const std::size_t index = TrailIndex(row.phase, row.session, row.position);
  const Trail& trail = trails_[index];
  if (trail.request != row.request || trail.position != row.position) return 0;
  for (std::uint32_t i = 0; i < shape_.experts_per_layer; ++i) scores_[i] = {i, 0};
  std::uint32_t witness_count = 0;
  float certain = 0;
  for (std::uint32_t back = 1; back <= PathCounts::kStepsBack; ++back) {
    for (const std::uint32_t earlier : Experts(index, back)) {
      const std::span<const std::uint8_t> counts = counts_.Row(back, next, earlier);
      if (counts[0] == 0) continue;
      ++witness_count;
      certain += logs_[std::size_t{counts[0]} + 1];
      for (std::uint32_t i = 0; i < shape_.experts_per_layer; ++i)
        scores_[i].weight += logs_[counts[1 + i]];
    }
  }
  if (witness_count == 0) return 0;
  const std::size_t count = std::min(guesses.size(), scores_.size());
  std::partial_sort(scores_.begin(), scores_.begin() + static_cast<std::ptrdiff_t>(count),
                    scores_.end(), [](const ExpertChoice& a, const ExpertChoice& b) {
                      return a.weight > b.weight || (a.weight == b.weight && a.expert < b.expert);
                    });
  for (std::size_t i = 0; i < count; ++i) {
    const float mean = (scores_[i].weight - certain) / static_cast<float>(witness_count);
    guesses[i] = {scores_[i].expert, std::min(1.0F, std::exp(mean))};
  }
  return count;
}

std::size_t PathPredictor::TrailIndex(RoutingPhase phase, SessionSlot session,
                                      std::uint32_t position) const {
  EDGEMOE_CHECK(session.value < shape_.sessions_max, "more sessions than the predictor was told");
  if (phase == RoutingPhase::kDecode) return session.value;
  return std::size_t{shape_.sessions_max} + position % kPromptRows;
}

// The trail that the row continues: its own; at the first layer that of the token before, which may
// have been the last of the prompt; otherwise an empty one.
std::size_t PathPredictor::TrailBefore(ExpertLayerIndex layer, const RoutedRow& row) {
  const std::size_t index = TrailIndex(row.phase, row.session, row.position);
  Trail& trail = trails_[index];
  if (trail.request == row.request) {
    if (trail.position == row.position && trail.layer < layer) return index;
    if (trail.position + 1 == row.position && trail.layer >= layer) return index;
  }
  trail.size = {};
  if (row.phase == RoutingPhase::kDecode && row.position > 0) {
    const std::size_t prompt = TrailIndex(RoutingPhase::kPrefill, row.session, row.position - 1);
    const Trail& last = trails_[prompt];
    if (last.request == row.request && last.position + 1 == row.position && last.layer >= layer) {
      trail = last;
      const std::size_t stride = std::size_t{PathCounts::kStepsBack} * shape_.experts_used;
      std::copy_n(trail_experts_.begin() + static_cast<std::ptrdiff_t>(prompt * stride), stride,
                  trail_experts_.begin() + static_cast<std::ptrdiff_t>(index * stride));
    }
  }
  return index;
}

std::span<const std::uint32_t> PathPredictor::Experts(std::size_t trail, std::uint32_t back) const {
  const std::size_t begin = (trail * PathCounts::kStepsBack + back - 1) * shape_.experts_used;
  return std::span(trail_experts_).subspan(begin, trails_[trail].size[back - 1]);
}

void PathPredictor::Extend(std::size_t index, ExpertLayerIndex layer, const RoutedRow& row) {
  Trail& trail = trails_[index];
  const auto begin =
      trail_experts_.begin() +
      static_cast<std::ptrdiff_t>(index * PathCounts::kStepsBack * shape_.experts_used);
  const auto before = begin + static_cast<std::ptrdiff_t>(shape_.experts_used);
  std::copy_n(begin, trail.size[0], before);
  trail.size[1] = trail.size[0];
  trail.size[0] = std::min(static_cast<std::uint32_t>(row.choices.size()), shape_.experts_used);
  for (std::uint32_t i = 0; i < trail.size[0]; ++i) begin[i] = row.choices[i].expert;
  trail.request = row.request;
  trail.position = row.position;
  trail.layer = layer;
}

}  // namespace edgemoe
