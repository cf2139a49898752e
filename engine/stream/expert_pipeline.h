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
#include "engine/stream/expert_layout.h"
#include "engine/stream/expert_source.h"
#include "engine/stream/read_plan.h"

namespace edgemoe {

struct ExpertPipelineOptions {
  // Longer reads are split: flash serves the parts in parallel. A multiple of kReadAlignment.
  std::uint32_t request_bytes_max = 1u << 20;
};

// The ExpertSource of the engine. A model that fits in its slab needs nothing else: after the first
// read, everything hits.
//
// Two kinds of record, both allocated once:
//
//   Want  an expert that the current Begin asked for. pending -> loading -> ready -> given;
//         residents start as ready. `pending_` and `ready_` hold the first and third kind in order.
//   Load  an expert of the cache that is in state loading because of us. It is issued request by
//         request, as the reader takes them; it ends when its last request has, and then serves the
//         want that waits for it, if any.
//
// Invariants:
//   1. At most one load is partly issued, and no new one starts before it is wholly issued; every
//      load has a request in flight, except that one. So `depth` loads are enough.
//   2. Loads outlive Abandon, also a partly issued one; their experts land in the cache. A later
//      Begin that wants one joins it.
//   3. Slots are reserved in the order of wants, after all residents are pinned: a layer never
//      evicts what it is about to use.
//   4. A failed load gives its slot back before its want is given: the next Begin reads it again.
//
// Confined to the engine's thread. No allocation after construction, except for the message of a
// failure.
class ExpertPipeline final : public ExpertSource {
 public:
  // All must outlive the pipeline, and the slab of `cache` the reader. The cache was made from
  // PlanSlots(layout). Nobody else submits to `reader` or reserves in `cache` meanwhile.
  ExpertPipeline(const ExpertLayout& layout, BlockReader* reader, ExpertCache* cache,
                 const Clock* clock, const ExpertPipelineOptions& options = {});
  // Waits for reads in flight; they land in the cache. REQUIRES: all that was given is released.
  ~ExpertPipeline() override;

  void BeginStep() override { cache_->OnStep(); }
  void Begin(LayerIndex layer, std::span<const RoutedRow> rows,
             std::span<const ExpertIndex> experts) override;
  std::size_t NextReady(std::span<ReadyExpert> ready) override;
  void Release(std::span<const ReadyExpert> ready) override;
  void Abandon() override;
  const ExpertIoAccount& account() const override { return account_; }

 private:
  static constexpr std::uint32_t kNone = 0xffffffff;

  enum class WantState : std::uint8_t { kPending, kLoading, kReady, kGiven, kReleased };
  struct Want {
    ExpertIndex expert;
    WantState state = WantState::kPending;
    ExpertPin pin;  // while ready without failure, or given
    Status status;
  };
  struct Load {
    bool active = false;
    ExpertKey key;
    std::span<std::byte> slot;
    ReadPlan plan;
    std::size_t next_run = 0;         // what to issue next; run_count: wholly issued
    std::uint64_t next_in_run = 0;    // bytes of that run that are issued
    std::uint32_t issued_reads = 0;   // also the next one's ordinal
    std::uint32_t pending_reads = 0;  // submitted, not reaped
    std::uint32_t want = kNone;       // who waits for it
    Status status;                    // the first failure
  };

  void AddWant(std::uint32_t want, LayerIndex layer);
  std::uint32_t FindLoad(ExpertKey key) const;
  // Issues what the reader and the slots allow.
  void Pump();
  bool TryStartLoad(std::uint32_t want);
  bool IssueReads(std::uint32_t load);
  // Takes what has landed; waits for at least one read when `wait`.
  void Reap(bool wait);
  void OnRead(const ReadCompletion& completion);
  Status FailureOf(const Load& load, std::uint32_t ordinal, const Status& cause) const;
  void EndLoad(std::uint32_t load);
  void Give(std::uint32_t want, ReadyExpert& ready);
  bool AllGiven() const { return given_count_ == wants_count_; }

  const ExpertLayout& layout_;
  BlockReader* const reader_;
  ExpertCache* const cache_;
  const Clock* const clock_;
  const std::uint32_t request_bytes_max_;

  LayerIndex layer_;
  std::vector<Want> wants_;  // [experts_per_layer], the first wants_count_
  std::uint32_t wants_count_ = 0;
  std::uint32_t given_count_ = 0;
  std::uint32_t unreleased_count_ = 0;
  std::vector<std::uint32_t> pending_;  // wants without a slot, in order
  std::vector<std::uint32_t> ready_;    // wants to be given, in order; from ready_next_ on
  std::size_t ready_next_ = 0;

  std::vector<Load> loads_;  // [reader depth]
  std::vector<std::uint32_t> free_loads_;
  std::uint32_t partly_issued_ = kNone;  // the load that the reader had no room for
  std::vector<ReadCompletion> completions_;
  ExpertIoAccount account_;
};

}  // namespace edgemoe
