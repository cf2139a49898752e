// SPDX-License-Identifier: Apache-2.0
#include "engine/trace/replay.h"

#include <algorithm>
#include <optional>
#include <span>
#include <vector>

namespace edgemoe {
namespace {

class ReplayCache {
 public:
  ReplayCache(const RoutingTrace& trace, EvictionPolicy& policy, Predictor* predictor,
              std::uint64_t budget_bytes)
      : trace_(trace),
        policy_(policy),
        predictor_(predictor),
        budget_bytes_(budget_bytes),
        entries_(std::size_t{trace.layer_count()} * trace.description.experts_per_layer),
        guesses_(trace.sessions_max) {}

  void Run(const TraceBatch& batch);
  ReplayCounts Finish();

 private:
  struct Entry {
    bool resident = false;
    bool ahead = false;  // read ahead and not used since
  };
  // What was guessed for a session's token at the layer that it reaches next.
  struct PendingGuess {
    RequestId request{};  // 0: none
    ExpertLayerIndex layer{};
    std::vector<ExpertChoice> experts;
  };

  Entry& EntryOf(ExpertKey key) {
    return entries_[std::size_t{key.layer.value} * trace_.description.experts_per_layer +
                    key.expert.value];
  }
  std::uint64_t BytesOf(ExpertKey key) const {
    return trace_.description.expert_bytes[key.layer.value];
  }
  void CollectDistinct(const TraceBatch& batch);
  void LookUp(ExpertKey key, bool decoded);
  void Insert(ExpertKey key);
  void ShrinkToBudget();
  void UnpinAll();
  void Score(ExpertLayerIndex layer, const RoutedRow& row);
  void GuessNext(ExpertLayerIndex layer, const RoutedRow& row);
  ExpertLayerIndex NextLayer(ExpertLayerIndex layer) const;

  const RoutingTrace& trace_;
  EvictionPolicy& policy_;
  Predictor* const predictor_;
  const std::uint64_t budget_bytes_;
  std::vector<Entry> entries_;         // [layer_count, experts_per_layer]
  std::vector<PendingGuess> guesses_;  // [sessions_max]
  std::vector<ExpertKey> pinned_;
  std::vector<ExpertIndex> distinct_;  // of the batch; the first decoded_count_ by decoded tokens
  std::size_t decoded_count_ = 0;
  std::uint64_t resident_bytes_ = 0;
  ReplayCounts counts_;
};

void ReplayCache::Run(const TraceBatch& batch) {
  const std::span<const RoutedRow> rows = trace_.RowsOf(batch);
  TellRouting(policy_, batch.layer, rows);
  CollectDistinct(batch);
  for (std::size_t i = 0; i < distinct_.size(); ++i)
    LookUp({batch.layer, distinct_[i]}, i < decoded_count_);
  ShrinkToBudget();
  UnpinAll();
  if (predictor_ == nullptr) return;
  for (const RoutedRow& row : rows) {
    if (row.phase == RoutingPhase::kDecode) Score(batch.layer, row);
    predictor_->Observe(batch.layer, row);
  }
  for (const RoutedRow& row : rows)
    if (row.phase == RoutingPhase::kDecode) GuessNext(batch.layer, row);
  ShrinkToBudget();
  UnpinAll();
}

ReplayCounts ReplayCache::Finish() {
  for (std::uint32_t layer = 0; layer < trace_.layer_count(); ++layer) {
    for (std::uint32_t i = 0; i < trace_.description.experts_per_layer; ++i) {
      const ExpertKey key{ExpertLayerIndex{layer}, ExpertIndex{i}};
      if (EntryOf(key).ahead) counts_.prefetch_wasted_bytes += BytesOf(key);
    }
  }
  return counts_;
}

void ReplayCache::CollectDistinct(const TraceBatch& batch) {
  distinct_.clear();
  for (const RoutingPhase phase : {RoutingPhase::kDecode, RoutingPhase::kPrefill}) {
    for (const RoutedRow& row : trace_.RowsOf(batch)) {
      if (row.phase != phase) continue;
      for (const ExpertChoice& choice : row.choices) {
        const ExpertIndex expert{choice.expert};
        if (std::find(distinct_.begin(), distinct_.end(), expert) == distinct_.end())
          distinct_.push_back(expert);
      }
    }
    if (phase == RoutingPhase::kDecode) decoded_count_ = distinct_.size();
  }
}

void ReplayCache::LookUp(ExpertKey key, bool decoded) {
  Entry& entry = EntryOf(key);
  ++(decoded ? counts_.decode_uses : counts_.prefill_uses);
  if (entry.resident) {
    ++(decoded ? counts_.decode_hits : counts_.prefill_hits);
    if (decoded && entry.ahead) ++counts_.decode_prefetch_hits;
    entry.ahead = false;
    policy_.OnPin(key);
    pinned_.push_back(key);
    return;
  }
  if (decoded) counts_.decode_demand_bytes += BytesOf(key);
  Insert(key);
}

void ReplayCache::Insert(ExpertKey key) {
  EntryOf(key).resident = true;
  resident_bytes_ += BytesOf(key);
  policy_.OnInsert(key);
  pinned_.push_back(key);
}

void ReplayCache::ShrinkToBudget() {
  while (resident_bytes_ > budget_bytes_) {
    const std::optional<ExpertKey> victim = policy_.Victim();
    if (!victim) return;
    policy_.OnErase(*victim);
    Entry& entry = EntryOf(*victim);
    if (entry.ahead) counts_.prefetch_wasted_bytes += BytesOf(*victim);
    entry = {};
    resident_bytes_ -= BytesOf(*victim);
  }
}

void ReplayCache::UnpinAll() {
  for (const ExpertKey key : pinned_) policy_.OnUnpin(key);
  pinned_.clear();
}

void ReplayCache::Score(ExpertLayerIndex layer, const RoutedRow& row) {
  PendingGuess& guess = guesses_[row.session.value];
  if (guess.request != row.request || guess.layer != layer) return;
  guess.request = {};
  const std::size_t k = row.choices.size();
  counts_.guess_uses += k;
  for (std::size_t i = 0; i < std::min(guess.experts.size(), 2 * k); ++i) {
    const bool right = std::any_of(row.choices.begin(), row.choices.end(), [&](const auto& choice) {
      return choice.expert == guess.experts[i].expert;
    });
    if (!right) continue;
    ++counts_.guessed_at_2k;
    if (i < k) ++counts_.guessed_at_k;
  }
}

void ReplayCache::GuessNext(ExpertLayerIndex layer, const RoutedRow& row) {
  const ExpertLayerIndex next = NextLayer(layer);
  PendingGuess& guess = guesses_[row.session.value];
  guess.experts.resize(2 * row.choices.size());
  guess.experts.resize(predictor_->Guess(next, row, guess.experts));
  guess.request = guess.experts.empty() ? RequestId{} : row.request;
  guess.layer = next;
  for (std::size_t i = 0; i < std::min(guess.experts.size(), row.choices.size()); ++i) {
    const ExpertKey key{next, ExpertIndex{guess.experts[i].expert}};
    if (EntryOf(key).resident) continue;
    EntryOf(key).ahead = true;
    counts_.prefetch_bytes += BytesOf(key);
    Insert(key);
  }
}

ExpertLayerIndex ReplayCache::NextLayer(ExpertLayerIndex layer) const {
  const std::uint32_t count = trace_.layer_count();
  std::uint32_t next = layer.value;
  do {
    next = (next + 1) % count;
  } while (trace_.description.expert_bytes[next] == 0);  // ends at `layer`, which has experts
  return ExpertLayerIndex{next};
}

}  // namespace

ReplayCounts Replay(const RoutingTrace& trace, EvictionPolicy& policy, Predictor* predictor,
                    std::uint64_t budget_bytes) {
  ReplayCache cache(trace, policy, predictor, budget_bytes);
  for (const TraceBatch& batch : trace.batches) cache.Run(batch);
  return cache.Finish();
}

PolicyShape PolicyShapeOf(const RoutingTrace& trace) {
  return {.layer_count = trace.layer_count(),
          .experts_per_layer = trace.description.experts_per_layer,
          .sessions_max = trace.sessions_max};
}

}  // namespace edgemoe
