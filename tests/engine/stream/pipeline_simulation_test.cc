// SPDX-License-Identifier: Apache-2.0
//
// The whole expert stack under a deterministic simulation of storage and time: random interleavings
// of layers, look-ahead right and wrong, faults, cancels, resizes and warm starts. A seed is a
// life.
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "engine/base/random.h"
#include "engine/cache/lru_policy.h"
#include "engine/stream/pipeline/expert_pipeline.h"
#include "engine/stream/pipeline/slots.h"
#include "tests/engine/stream/pipeline_fixture.h"
#include "tests/support/simulated_reader.h"

namespace edgemoe {
namespace {

// What the router may choose from; a few of the experts are much more popular.
class Life {
 public:
  explicit Life(std::uint64_t seed)
      : random_(seed),
        layout_(DrawLayout()),
        classes_(*SlotClassesOf(layout_, kTopK)),
        slab_(*SlotSlab::Create(classes_, DrawSlabBytes())),
        cache_(classes_, &slab_, LruPolicy::Make),
        reader_(PipelineStack::File().bytes(), &clock_, DrawFaults()) {
    const std::uint32_t block = kReadAlignment;
    ExpertPipelineOptions options{
        .loader = {.request_bytes_max = block * Draw(1, 20),
                   .read_ahead_bytes_max = block * Draw(1, 40)},
        .keep_experts = Draw(0, 5) > 0,
        .look_ahead = Draw(0, 3) > 0 ? LookAhead::kRouter : LookAhead::kNone,
        .near_guesses_per_row = Draw(1, kExperts / 2)};
    pipeline_.emplace(layout_, &reader_, &cache_, &clock_, options);
  }

  void Run() {
    for (std::uint32_t step = Draw(1, 12); step > 0; --step) {
      RunStep();
      if (testing::Test::HasFatalFailure()) return;
      if (Draw(0, 3) == 0) ResizeSlab();
      if (Draw(0, 5) == 0) WarmUp();
      CheckBooks();
    }
    pipeline_.reset();
    ASSERT_EQ(cache_.counters().loading_count, 0u);
    ASSERT_EQ(reader_.in_flight(), 0u);
    CheckBooks();
  }

 private:
  std::uint32_t Draw(std::uint32_t least, std::uint32_t most) {
    return least + static_cast<std::uint32_t>(random_.NextBelow(most - least + 1));
  }

  // One size for all experts of a layer, as stock files have it, or any for each, as in packs whose
  // experts have types of their own.
  ExpertLayout DrawLayout() {
    ExpertLayout layout = MakeLayout();
    if (Draw(0, 1) == 0) return layout;
    for (ExpertExtents& expert : layout.extents)
      for (ExpertExtent& extent : expert)
        extent.bytes = Draw(1, static_cast<std::uint32_t>(extent.bytes));
    return layout;
  }

  std::uint64_t DrawSlabBytes() {
    const std::uint64_t least = SlabBytesMin(classes_);
    slab_bytes_ = least + random_.NextBelow(SlabBytesMax(classes_) - least + 1);
    return slab_bytes_;
  }

  SimulatedReader::Options DrawFaults() {
    SimulatedReader::Options options{.seed = random_.Next(), .depth = Draw(1, 12)};
    if (Draw(0, 2) == 0) options.error_percent = Draw(1, 30);
    if (Draw(0, 3) == 0) options.dead_from = Draw(0, 100);
    if (options.dead_from != UINT64_MAX) options.dead_count = Draw(0, 1) == 0 ? 1 : UINT64_MAX;
    if (Draw(0, 3) == 0) options.slow_from = Draw(0, 100);
    may_fail_ = options.error_percent > 0 || options.dead_count > 0;
    return options;
  }

  // The rows of a layer, and the distinct experts that they chose.
  void DrawRows() {
    const std::size_t count = Draw(1, 3);
    choices_.assign(count, {});
    rows_.clear();
    for (std::size_t row = 0; row < count; ++row) {
      std::set<std::uint32_t> chosen;
      while (chosen.size() < kTopK) chosen.insert(Draw(0, Draw(1, kExperts - 1)));
      for (const std::uint32_t expert : chosen) choices_[row].push_back({expert, 0.5F});
    }
    for (std::size_t row = 0; row < count; ++row)
      rows_.push_back({.request = RequestId{1},
                       .session = SessionSlot{0},
                       .phase = Draw(0, 4) == 0 ? RoutingPhase::kPrefill : RoutingPhase::kDecode,
                       .choices = choices_[row]});
    std::set<ExpertIndex> distinct;
    for (const RoutedRow& row : rows_)
      for (const ExpertChoice& choice : row.choices) distinct.insert(ExpertIndex{choice.expert});
    experts_.assign(distinct.begin(), distinct.end());
  }

  void RunStep() {
    pipeline_->BeginStep();
    for (std::uint32_t layer = 0; layer < kLayers; ++layer) {
      DrawRows();
      pipeline_->Begin(ExpertLayerIndex{layer}, rows_, experts_);
      if (const std::uint32_t per_row = pipeline_->guesses_wanted(ExpertLayerIndex{layer + 1});
          per_row > 0 && layer + 1 < kLayers) {
        MakeGuesses(per_row);
        pipeline_->Guess(ExpertLayerIndex{layer + 1}, rows_);
      }
      const bool whole = RunLayer(ExpertLayerIndex{layer});
      if (testing::Test::HasFatalFailure()) return;
      clock_.Advance(random_.NextBelow(200'000));
      pipeline_->Advance();
      if (!whole) return;  // the request was cancelled: the rest of the step is not run
    }
  }

  void MakeGuesses(std::uint32_t per_row) {
    for (std::size_t row = 0; row < rows_.size(); ++row) {
      std::set<std::uint32_t> guessed;
      while (guessed.size() < per_row) guessed.insert(Draw(0, kExperts - 1));
      choices_[row].clear();
      for (const std::uint32_t expert : guessed)
        choices_[row].push_back({expert, static_cast<float>(random_.NextUnit())});
      rows_[row].choices = choices_[row];
    }
  }

  // False when it was abandoned half-way.
  bool RunLayer(ExpertLayerIndex layer) {
    std::uint32_t slots = slab_.slot_count(0);
    for (std::uint8_t c = 1; c < classes_.classes.size(); ++c)
      slots = std::min(slots, slab_.slot_count(c));
    const std::size_t abandon_after = Draw(0, 9) == 0 ? Draw(0, kExperts) : SIZE_MAX;
    std::set<ExpertIndex> given;
    std::vector<ReadyExpert> held;
    for (;;) {
      if (given.size() >= abandon_after) {
        pipeline_->Abandon();
        break;
      }
      std::vector<ReadyExpert> ready(1 + random_.NextBelow(slots - held.size()));
      const std::size_t count = pipeline_->NextReady(ready);
      if (count == 0) break;
      for (std::size_t i = 0; i < count; ++i) {
        Check(ready[i], layer);
        EXPECT_TRUE(given.insert(ready[i].expert).second) << "given twice";
        held.push_back(ready[i]);
      }
      clock_.Advance(random_.NextBelow(100'000));  // computes
      while (!held.empty() && (held.size() >= slots || Draw(0, 1) == 0)) {
        std::swap(held[random_.NextBelow(held.size())], held.back());
        Check(held.back(), layer);  // still the same bytes, whatever was read since
        pipeline_->Release(std::span(held).last(1));
        held.pop_back();
      }
    }
    if (abandon_after == SIZE_MAX) {
      EXPECT_EQ(given.size(), experts_.size());
    }
    pipeline_->Release(held);
    return abandon_after == SIZE_MAX;
  }

  void Check(const ReadyExpert& ready, ExpertLayerIndex layer) {
    ASSERT_TRUE(ready.status.ok() || may_fail_) << ready.status.ToString();
    const ExpertExtents& extents = layout_.of({layer, ready.expert});
    for (std::size_t role = 0; role < kExpertRoleCount && ready.status.ok(); ++role) {
      const auto bytes =
          PipelineStack::File().bytes().subspan(extents[role].offset, extents[role].bytes);
      ASSERT_EQ(std::memcmp(bytes.data(), ready.matrices[role], bytes.size()), 0);
    }
  }

  void ResizeSlab() {
    pipeline_->Quiesce();
    ASSERT_EQ(cache_.counters().pinned_count, 0u);
    ASSERT_EQ(cache_.counters().loading_count, 0u);
    const std::uint64_t before = slab_bytes_;
    if (Draw(0, 4) == 0) {
      EXPECT_FALSE(cache_.Resize(SlabBytesMin(classes_) - 1).ok());
      slab_bytes_ = before;
      return;
    }
    const std::uint64_t bytes = DrawSlabBytes();
    ASSERT_TRUE(cache_.Resize(bytes).ok());
  }

  void WarmUp() {
    std::vector<ExpertKey> keys;
    for (std::uint32_t i = Draw(0, 20); i > 0; --i)
      keys.push_back({ExpertLayerIndex{Draw(0, kLayers - 1)}, ExpertIndex{Draw(0, kExperts - 1)}});
    const std::uint64_t evictions = cache_.counters().evictions;
    std::span<const ExpertKey> left = keys;
    for (std::uint32_t rounds = Draw(0, 40); rounds > 0 && pipeline_->Warm(left); --rounds) {
    }
    EXPECT_EQ(cache_.counters().evictions, evictions) << "a warm start evicts nothing";
  }

  // Slots taken are those of loading and resident experts, and the budget holds.
  void CheckBooks() {
    const CacheCounters& counters = cache_.counters();
    std::uint32_t free = 0;
    for (std::uint8_t c = 0; c < classes_.classes.size(); ++c) free += slab_.free_count(c);
    ASSERT_EQ(slab_.slot_count() - free, counters.resident_count + counters.loading_count);
    ASSERT_LE(slab_.committed_bytes(), slab_bytes_);
    ASSERT_LE(counters.resident_bytes, slab_bytes_);
    std::uint32_t resident = 0;
    for (std::uint32_t i = 0; i < kLayers * kExperts; ++i)
      resident += cache_.state({ExpertLayerIndex{i / kExperts}, ExpertIndex{i % kExperts}}) ==
                  ExpertState::kResident;
    ASSERT_EQ(resident, counters.resident_count);
  }

  Random random_;
  const ExpertLayout layout_;
  const SlotClasses classes_;
  std::uint64_t slab_bytes_ = 0;
  SlotSlab slab_;
  ExpertCache cache_;
  FakeClock clock_;
  bool may_fail_ = false;
  SimulatedReader reader_;
  std::optional<ExpertPipeline> pipeline_;

  std::vector<std::vector<ExpertChoice>> choices_;
  std::vector<RoutedRow> rows_;
  std::vector<ExpertIndex> experts_;
};

// EDGEMOE_SIMULATION_SEEDS=N runs N lives instead; EDGEMOE_SIMULATION_FIRST=S begins with seed S.
TEST(PipelineSimulationTest, AnyLifeKeepsItsBooks) {
  const char* count_text = std::getenv("EDGEMOE_SIMULATION_SEEDS");
  const char* first_text = std::getenv("EDGEMOE_SIMULATION_FIRST");
  const std::uint64_t first = first_text == nullptr ? 0 : std::strtoull(first_text, nullptr, 10);
  const std::uint64_t count = count_text == nullptr ? 2000 : std::strtoull(count_text, nullptr, 10);
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    SCOPED_TRACE(seed);
    Life(seed).Run();
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace edgemoe
