// SPDX-License-Identifier: Apache-2.0
//
// The look-ahead's records: what the next layer will probably want, which of it was read ahead, and
// whether that was of use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/routing.h"
#include "engine/cache/expert_cache.h"
#include "engine/stream/pipeline/loader.h"
#include "engine/stream/read_ahead/judge.h"
#include "engine/stream/read_ahead/stats.h"

namespace edgemoe {

// One layer's guesses at a time. Holds pins of guessed residents and of what has landed, until the
// layer has begun. Engine's thread; no allocation after construction.
class ReadAhead {
 public:
  // `cache` outlives this object.
  ReadAhead(ExpertCache* cache, const Clock* clock, std::uint32_t experts_per_layer);

  // The guesses for `layer`, weights summed over rows; forgets earlier guesses. The first
  // `near_max` of a row may be read ahead; all that are in memory are held.
  void SetGuesses(ExpertLayerIndex layer, std::span<const RoutedRow> guesses, std::size_t near_max);
  // The likeliest guess that is absent; each is given once. None when there is none left.
  std::optional<ExpertKey> NextAbsent();
  // A load for the guessed layer has begun, or ended well.
  void OnStarted(ExpertKey key, std::uint64_t slot_bytes);
  void OnLanded(EndedLoad& ended);

  // A layer has begun with these wants, already pinned: settles the account of its guesses, and
  // lets go of everything.
  void Settle(ExpertLayerIndex layer, std::span<const ExpertIndex> wants);
  // Gives up all pins because a slot is needed; false when there were none.
  bool LetGo();
  void Clear();

  void BeginStep();
  // The step's last layer has its experts. `rows` 0: the judge leaves this step out.
  void EndStep(std::uint32_t rows, bool read_any);

  bool on() const { return judge_.on(); }
  const ReadAheadStats& stats() const { return stats_; }

 private:
  struct Begun {
    ExpertKey key;
    std::uint64_t slot_bytes = 0;
    std::uint64_t begin_ns = 0;
    std::uint64_t end_ns = 0;  // 0: in flight
  };

  ExpertCache* const cache_;
  const Clock* const clock_;
  ReadAheadJudge judge_;
  ReadAheadStats stats_;
  std::uint64_t step_begin_ns_ = 0;

  ExpertLayerIndex layer_;
  std::vector<float> weights_;        // [experts_per_layer], 0: not guessed
  std::vector<std::uint8_t> near_;    // [experts_per_layer], 1: among the first of a row
  std::vector<ExpertIndex> guesses_;  // distinct: the near ones, then the others, likeliest first
  std::size_t next_ = 0;              // of guesses_, to be read
  std::vector<ExpertPin> held_;       // capacity experts_per_layer
  std::vector<Begun> begun_;          // capacity experts_per_layer
};

}  // namespace edgemoe
