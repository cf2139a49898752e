// SPDX-License-Identifier: Apache-2.0
#include "engine/stream/read_ahead/read_ahead.h"

#include <algorithm>
#include <utility>

#include "engine/base/check.h"

namespace edgemoe {

ReadAhead::ReadAhead(ExpertCache* cache, const Clock* clock, std::uint32_t experts_per_layer)
    : cache_(cache), clock_(clock), weights_(experts_per_layer), near_(experts_per_layer) {
  guesses_.reserve(experts_per_layer);
  held_.reserve(experts_per_layer);
  begun_.reserve(experts_per_layer);
}

void ReadAhead::SetGuesses(ExpertLayerIndex layer, std::span<const RoutedRow> guesses,
                           std::size_t near_max) {
  Clear();
  layer_ = layer;
  for (const RoutedRow& row : guesses) {
    for (std::size_t i = 0; i < row.choices.size(); ++i) {
      const ExpertChoice& choice = row.choices[i];
      if (weights_[choice.expert] == 0) guesses_.push_back(ExpertIndex{choice.expert});
      // A weight of 0, or NaN, is still a guess.
      weights_[choice.expert] += std::max(1e-6F, choice.weight);
      if (i < near_max) near_[choice.expert] = 1;
    }
  }
  std::sort(guesses_.begin(), guesses_.end(), [this](ExpertIndex a, ExpertIndex b) {
    if (near_[a.value] != near_[b.value]) return near_[a.value] > near_[b.value];
    return weights_[a.value] != weights_[b.value] ? weights_[a.value] > weights_[b.value] : a < b;
  });
  for (const ExpertIndex expert : guesses_) {
    if (ExpertPin pin = cache_->Hold({layer, expert})) held_.push_back(std::move(pin));
  }
}

std::optional<ExpertKey> ReadAhead::NextAbsent() {
  while (next_ < guesses_.size() && near_[guesses_[next_].value] != 0) {
    const ExpertKey key{layer_, guesses_[next_++]};
    if (cache_->state(key) == ExpertState::kAbsent) return key;
  }
  return std::nullopt;
}

void ReadAhead::OnStarted(ExpertKey key, std::uint64_t slot_bytes) {
  EDGEMOE_CHECK(key.layer == layer_ && begun_.size() < begun_.capacity(), "not a guess");
  begun_.push_back({.key = key, .slot_bytes = slot_bytes, .begin_ns = clock_->NowNs()});
}

void ReadAhead::OnLanded(EndedLoad& ended) {
  for (Begun& begun : begun_) {
    if (begun.key != ended.key) continue;
    begun.end_ns = clock_->NowNs();
    if (ended.pin) held_.push_back(std::move(ended.pin));
    return;
  }
}

void ReadAhead::Settle(ExpertLayerIndex layer, std::span<const ExpertIndex> wants) {
  if (layer == layer_ && !guesses_.empty()) {
    const std::uint64_t now_ns = clock_->NowNs();
    stats_.wanted += wants.size();
    for (const ExpertIndex want : wants) {
      stats_.guessed_at_k += near_[want.value];
      stats_.guessed_at_2k += weights_[want.value] > 0 ? 1 : 0;
    }
    for (const Begun& begun : begun_) {
      if (std::find(wants.begin(), wants.end(), begun.key.expert) == wants.end()) {
        ++stats_.wasted_experts;
        stats_.wasted_bytes += begun.slot_bytes;
      } else {
        ++stats_.used_experts;
        stats_.used_bytes += begun.slot_bytes;
        stats_.saved_ns += (begun.end_ns == 0 ? now_ns : begun.end_ns) - begun.begin_ns;
      }
    }
  }
  Clear();
}

bool ReadAhead::LetGo() {
  if (held_.empty()) return false;
  held_.clear();
  return true;
}

void ReadAhead::Clear() {
  for (const ExpertIndex expert : guesses_) {
    weights_[expert.value] = 0;
    near_[expert.value] = 0;
  }
  guesses_.clear();
  next_ = 0;
  held_.clear();
  begun_.clear();
}

void ReadAhead::BeginStep() { step_begin_ns_ = clock_->NowNs(); }

void ReadAhead::EndStep(std::uint32_t rows, bool read_any) {
  if (rows > 0) judge_.EndStep(clock_->NowNs() - step_begin_ns_, rows, read_any);
  stats_.trials = judge_.trials();
  stats_.on = judge_.on();
}

}  // namespace edgemoe
