// SPDX-License-Identifier: Apache-2.0
//
// Experts from storage: joins the layout (where), the cache (whether) and a reader (how).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/base/clock.h"
#include "engine/cache/expert_cache.h"
#include "engine/io/block_reader.h"
#include "engine/predict/predictor.h"
#include "engine/stream/expert_layout.h"
#include "engine/stream/expert_source.h"
#include "engine/stream/pipeline/loader.h"
#include "engine/stream/read_ahead/read_ahead.h"

namespace edgemoe {

// Where guesses of the next layer's experts come from.
enum class LookAhead : std::uint8_t {
  kNone,
  kRouter,     // the caller's, by the next layer's own router; layer 0's from the predictor
  kPredictor,  // all from the predictor
};

struct ExpertPipelineOptions {
  ExpertLoaderOptions loader{};
  // False: an expert leaves the cache when it is released, so that each use is a read.
  bool keep_experts = true;
  LookAhead look_ahead = LookAhead::kNone;
  Predictor* predictor = nullptr;  // outlives the pipeline; may be null
  // How many guesses of a row may be read ahead; twice as many are held where they are in memory.
  // In [0, kGuessesPerRowMax / 2].
  std::uint32_t near_guesses_per_row = 0;
};

// The ExpertSource of the engine. A model that fits in its slab needs nothing else: after the first
// read, everything hits.
//
// A Want is an expert that the current Begin asked for: pending -> loading -> ready -> given;
// residents start as ready. `pending_` and `ready_` hold the first and third kind in order.
//
// Invariants:
//   1. Loads outlive Abandon; their experts land in the cache. A later Begin that wants one joins
//      it.
//   2. Slots are reserved in the order of wants, after all residents are pinned: a layer never
//      evicts what it is about to use. What the look-ahead holds gives way to a demand.
//   3. A failed load gives its slot back before its want is given: the next Begin reads it again.
//   4. Read-ahead starts only when no want is pending or loading.
//
// Confined to the engine's thread. No allocation after construction, except for the message of a
// failure.
class ExpertPipeline final : public ExpertSource {
 public:
  // All must outlive the pipeline, and the slab of `cache` the reader. The cache was made from
  // SlotClassesOf(layout). Nobody else submits to `reader` or reserves in `cache` meanwhile.
  ExpertPipeline(const ExpertLayout& layout, BlockReader* reader, ExpertCache* cache,
                 const Clock* clock, const ExpertPipelineOptions& options = {});
  // Waits for reads in flight; they land in the cache. REQUIRES: all that was given is released.
  ~ExpertPipeline() override;

  void BeginStep() override;
  void Begin(ExpertLayerIndex layer, std::span<const RoutedRow> rows,
             std::span<const ExpertIndex> experts) override;
  std::uint32_t guesses_wanted(ExpertLayerIndex next) const override;
  void Guess(ExpertLayerIndex next, std::span<const RoutedRow> guesses) override;
  void Advance() override;
  std::size_t NextReady(std::span<ReadyExpert> ready) override;
  void Release(std::span<const ReadyExpert> ready) override;
  void Abandon() override;
  const ExpertIoAccount& account() const override { return account_; }

  // ---- Between steps ----

  // Waits until nothing is in flight, and lets go of all that the look-ahead holds: the cache has
  // neither loads nor pins then. REQUIRES: all that was given is released.
  void Quiesce();

  // Reads experts that are absent into slots that are free, evicting nothing, in order of `keys`,
  // as many at once as read-ahead may have in flight; waits until one has landed. Takes off what is
  // done from the front of `keys`; false when nothing is left to do.
  bool Warm(std::span<const ExpertKey>& keys);

  // Reads an expert, wherever it is, and gives what became of it: DATA_LOSS when it cannot be read,
  // or is not what it was. Evicts for it as a demand does. REQUIRES: all that was given is
  // released.
  Status Probe(ExpertKey key);

  // The observer outlives the pipeline, or is removed before by setting null.
  void SetObserver(RoutingObserver* observer) { observer_ = observer; }

  const ReadAheadStats& read_ahead() const { return ahead_.stats(); }

 private:
  enum class WantState : std::uint8_t { kPending, kLoading, kReady, kGiven, kReleased };
  struct Want {
    ExpertIndex expert;
    WantState state = WantState::kPending;
    ExpertPin pin;  // while ready without failure, or given
    Status status;
  };

  void Show(ExpertLayerIndex layer, std::span<const RoutedRow> rows);
  void LookAtRows(ExpertLayerIndex layer, std::span<const RoutedRow> rows);
  void GuessByPredictor(ExpertLayerIndex next, std::span<const RoutedRow> rows);
  void AddWant(std::uint32_t want, ExpertLayerIndex layer);
  // Starts what the reader and the slots allow.
  void Pump();
  void StartPending();
  void StartReadAhead();
  bool TryStartDemand(std::uint32_t want);
  // Takes what has landed; waits for at least one read when `wait`.
  void Reap(bool wait);
  void OnEnded(EndedLoad& ended);
  void Give(std::uint32_t want, ReadyExpert& ready);
  bool AllGiven() const { return given_count_ == wants_count_; }

  const ExpertLayout& layout_;
  ExpertCache* const cache_;
  const Clock* const clock_;
  const ExpertPipelineOptions options_;
  const std::uint32_t guesses_per_row_;
  RoutingObserver* observer_ = nullptr;

  ExpertLayerIndex layer_;
  std::vector<Want> wants_;  // [experts_per_layer], the first wants_count_
  std::uint32_t wants_count_ = 0;
  std::uint32_t given_count_ = 0;
  std::uint32_t unreleased_count_ = 0;
  std::uint32_t loading_count_ = 0;     // wants in that state
  std::vector<std::uint32_t> want_of_;  // [experts_per_layer], while loading; else kNone
  std::vector<std::uint32_t> pending_;  // wants without a slot, in order
  std::vector<std::uint32_t> ready_;    // wants to be given, in order; from ready_next_ on
  std::size_t ready_next_ = 0;
  std::vector<std::uint64_t> read_bytes_;    // [experts_per_layer], for the observer
  std::vector<ExpertChoice> guess_choices_;  // [kGuessRowsMax * guesses_per_row_], scratch
  std::vector<RoutedRow> guess_rows_;        // [kGuessRowsMax], scratch

  std::uint32_t step_rows_ = 0;  // of a step that does nothing but decode few sequences; else 0
  std::uint64_t step_misses_ = 0;
  std::uint64_t step_bytes_ = 0;  // read before the step

  ReadAhead ahead_;
  ExpertLoader loader_;
  ExpertIoAccount account_;
};

}  // namespace edgemoe
