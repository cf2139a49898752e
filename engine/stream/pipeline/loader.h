// SPDX-License-Identifier: Apache-2.0
//
// Experts on their way from storage into the cache: the only one who submits to the reader.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/cache/expert_cache.h"
#include "engine/io/block_reader.h"
#include "engine/stream/expert_layout.h"
#include "engine/stream/pipeline/reads.h"
#include "engine/stream/pipeline/verifier.h"

namespace edgemoe {

enum class LoadUrgency : std::uint8_t {
  kDemand,     // a layer waits for it
  kReadAhead,  // a guess: only while no demand is on its way, and few bytes at a time
};

struct ExpertLoaderOptions {
  // Longer reads are split: flash serves the parts in parallel. A multiple of kReadAlignment.
  std::uint32_t request_bytes_max = 1u << 20;
  // Bytes of guesses in flight, at least: what a demand that comes now has to wait for. A multiple
  // of kReadAlignment.
  std::uint32_t read_ahead_bytes_max = 4u << 20;
  // Checks what was read; outlives the loader. Null: nothing is checked.
  ExpertVerifier* verifier = nullptr;
};

// What became of a load.
struct EndedLoad {
  ExpertKey key;
  bool began_as_guess = false;
  ExpertPin pin;  // unless it failed or was cancelled
  Status status;  // CANCELLED, DATA_LOSS ...
};

// Loads are issued request by request, as the reader takes them, demand first. A load ends when its
// last request has.
//
// Invariants:
//   1. Every load has a request in flight, except those in `unissued_`: at most one demand and one
//      guess, or two demands of which one was a guess. So depth + 2 loads are enough.
//   2. No request of a guess is submitted while a demand is on its way.
//   3. A failed or cancelled load gives its slot back before its end is told.
//
// Confined to the engine's thread. No allocation after construction, except for the message of a
// failure.
class ExpertLoader {
 public:
  // All must outlive the loader, and the slab of `cache` the reader. Nobody else submits to
  // `reader` or reserves in `cache`.
  ExpertLoader(const ExpertLayout& layout, BlockReader* reader, ExpertCache* cache,
               const ExpertLoaderOptions& options);
  // Waits for reads in flight; they land in the cache.
  ~ExpertLoader();
  ExpertLoader(const ExpertLoader&) = delete;
  ExpertLoader& operator=(const ExpertLoader&) = delete;

  // Whether a load of this urgency may start now; TryStart then fails only for lack of a slot.
  bool CanStart(LoadUrgency urgency) const;
  // Reserves a slot and begins. False when no slot can be had. REQUIRES: CanStart, absent.
  bool TryStart(ExpertKey key, LoadUrgency urgency);
  // A layer wants what was a guess; also undoes its cancellation. REQUIRES: loading.
  void Promote(ExpertKey key);
  // Stops guesses that are not wholly issued; they end when what is in flight has landed.
  void CancelReadAhead();

  // Submits what the reader takes and urgency allows.
  void Issue();
  // Takes what has landed; waits for at least one read when `wait`.
  void Reap(bool wait);
  // The next end that Reap found; false when there is none. To be drained after each Reap.
  bool TakeEnded(EndedLoad& ended);

  bool idle() const { return free_.size() == loads_.size(); }
  std::uint64_t bytes_read() const { return bytes_read_; }

 private:
  struct Load {
    bool active = false;
    bool cancelled = false;
    bool began_as_guess = false;
    LoadUrgency urgency = LoadUrgency::kDemand;
    ExpertKey key;
    std::span<std::byte> slot;
    ExpertReads plan;
    std::uint32_t request_bytes = 0;  // longer runs are split into requests of so many
    std::size_t next_run = 0;         // what to issue next; run_count: wholly issued
    std::uint64_t next_in_run = 0;    // bytes of that run that are issued
    std::uint32_t issued_reads = 0;   // also the next one's ordinal
    std::uint32_t pending_reads = 0;  // submitted, not reaped
    std::uint32_t guess_reads = 0;    // the first so many were submitted as guesses
    Status status;                    // the first failure
  };

  // What one request of a load fills.
  struct RequestPlace {
    std::uint64_t slot_offset = 0;
    std::uint64_t bytes = 0;
  };

  std::uint32_t Find(ExpertKey key) const;
  bool WhollyIssued(const Load& load) const;
  // True when the load needs nothing more of the reader.
  bool IssueReads(std::uint32_t index);
  void OnRead(const ReadCompletion& completion);
  void End(std::uint32_t index);
  RequestPlace RequestOf(const Load& load, std::uint32_t ordinal) const;
  Status FailureOf(const Load& load, std::uint32_t ordinal, const Status& cause) const;

  const ExpertLayout& layout_;
  BlockReader* const reader_;
  ExpertCache* const cache_;
  const ExpertLoaderOptions options_;

  std::vector<Load> loads_;  // [depth + 2]
  std::vector<std::uint32_t> free_;
  std::vector<std::uint32_t> unissued_;  // not wholly issued, in order of their starts
  std::uint32_t demand_count_ = 0;
  std::uint64_t read_ahead_in_flight_bytes_ = 0;
  std::vector<ReadCompletion> completions_;
  std::vector<EndedLoad> ended_;  // from ended_next_ on
  std::size_t ended_next_ = 0;
  std::uint64_t bytes_read_ = 0;
};

}  // namespace edgemoe
